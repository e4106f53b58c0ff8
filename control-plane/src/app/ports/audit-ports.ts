// What the use cases need of the audit log: who did what, and when.

export type AuditAction =
  "session-revoked" | "sessions-revoked" | "plan-changed" | "token-reissued" | "policy-accepted" | "policy-rejected";

/** `details` differ by action, and hold no secret. */
export interface AuditEvent {
  /** When, ms since the epoch. */
  readonly at: number;
  /** The public name of an admin token, or `file` for the policy file. */
  readonly actor: string;
  readonly action: AuditAction;
  /** Null where it is about no one session. */
  readonly sessionId: string | null;
  readonly details: Readonly<Record<string, string | number | null>>;
}

export interface AuditEntry extends AuditEvent {
  /** Grows by one with each entry. */
  readonly number: number;
}

/** What is kept: the newest `maxEntries`, and of those what is not older than `since`. */
export interface AuditBounds {
  readonly maxEntries: number;
  readonly sinceMs: number;
}

/** Durable as the session store is. Events of a change are written in the transaction of the change. */
export interface AuditStore {
  appendAudit(event: AuditEvent): Promise<void>;
  /** At most `limit` entries, the newest first; with `before`, only those with a lower number. */
  auditBefore(before: number | undefined, limit: number): Promise<AuditEntry[]>;
  /** Drops at most `limit` entries that are out of bounds, the oldest first. Answers how many. */
  trimAudit(bounds: AuditBounds, limit: number): Promise<number>;
}
