// Revoking all sessions of a user or an organisation: an operation that is stored, and then carried out in chunks.
import type { BulkRevocation } from "../../domain/stored.js";

/** The sessions meant are those there were when the operation began, whatever clocks say. */
export interface BulkRevocationStore {
  find(id: string): Promise<BulkRevocation | undefined>;
  /** Ids of those that go on, the oldest first. */
  unfinished(): Promise<string[]>;
  /** Forgets at most `limit` that began before `beforeMs` and are finished. Answers how many. */
  forgetFinished(beforeMs: number, limit: number): Promise<number>;
}
