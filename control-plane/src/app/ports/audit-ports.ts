// What the use cases need of the audit log: who did what, and when.
import type { AuditEvent } from "../../domain/stored.js";
import type { AgeLimits } from "../../domain/trimming.js";

export interface AuditEntry extends AuditEvent {
  /** Grows by one with each entry. */
  readonly number: number;
}

/** What is kept: the newest `maxEntries`, and of those what is not older than `notBeforeMs`. */
export interface AuditBounds extends AgeLimits {
  readonly maxEntries: number;
}

/** Durable as the session store is. Events of a change are written in the transaction of the change. */
export interface AuditStore {
  appendAudit(event: AuditEvent): Promise<void>;
  /** At most `limit` entries, the newest first; with `before`, only those with a lower number. */
  auditBefore(before: number | undefined, limit: number): Promise<AuditEntry[]>;
  /** Drops at most `limit` entries that are out of bounds, the oldest first. Answers how many. */
  trimAudit(bounds: AuditBounds, limit: number): Promise<number>;
}
