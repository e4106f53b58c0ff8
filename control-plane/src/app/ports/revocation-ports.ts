// Revoking all sessions of a user or an organisation: an operation that is stored, and then carried out in chunks.
import type { AuditEvent } from "./audit-ports.js";
import type { Session } from "../../domain/session.js";

/** Whose sessions. */
export type RevocationFilter = { readonly userId: string } | { readonly orgId: string };

/** Times are ms since the epoch. */
export interface BulkRevocation {
  /** A UUIDv7. */
  readonly id: string;
  readonly filter: RevocationFilter;
  readonly createdAt: number;
  /** Sessions looked at so far. */
  readonly examined: number;
  /** Of those, the ones that it revoked; the others had been revoked before. */
  readonly revoked: number;
  /** When the last session was revoked, null while it goes on. */
  readonly finishedAt: number | null;
  /**
   * Number of the invalidation log's last entry when its last chunk so far was committed: an edge that has passed it
   * denies all that was revoked. Undefined for one that an earlier version stored.
   */
  readonly cursor?: number;
}

export interface Expansion {
  readonly operation: BulkRevocation;
  /** The sessions that this chunk revoked, as they were before. */
  readonly revoked: readonly Session[];
}

/**
 * Every write is durable when its promise resolves. The sessions meant are those there were when the operation began,
 * whatever clocks say.
 */
export interface BulkRevocationStore {
  /** In one transaction with the audit log's entry for it. */
  begin(id: string, filter: RevocationFilter, atMs: number, audited?: AuditEvent): Promise<BulkRevocation>;
  find(id: string): Promise<BulkRevocation | undefined>;
  /** Ids of those that go on, the oldest first. */
  unfinished(): Promise<string[]>;
  /**
   * Looks at the next `chunk` sessions and revokes them, with their log entries and the operation's progress in one
   * transaction: so whoever goes on after a kill repeats nothing. Undefined where there is no such operation.
   */
  expand(id: string, chunk: number, atMs: number): Promise<Expansion | undefined>;
  /** Forgets at most `limit` that began before `beforeMs` and are finished. Answers how many. */
  forgetFinished(beforeMs: number, limit: number): Promise<number>;
}
