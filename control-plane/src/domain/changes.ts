// What a decision answers: what is to be written, all of it or nothing, and the answer to the caller.
import type { Session } from "./session.js";
import type {
  AuditEvent,
  ConsumptionKey,
  CreationKey,
  HeldRow,
  Instance,
  Invalidation,
  StoredRevocation,
} from "./stored.js";

/** A session as it was loaded and as it is to be. Null before: it is new. Null after: it goes, with all that is its. */
export interface SessionChange {
  readonly before: Session | null;
  readonly after: Session | null;
}

export interface StoredRow extends HeldRow {
  readonly sessionId: string;
}

/** What is to be written in one commit. */
export interface Changes {
  readonly sessions?: readonly SessionChange[];
  /** Of sessions that stay. */
  readonly rows?: readonly StoredRow[];
  /** Rows that go, of sessions that stay. */
  readonly removedRows?: readonly (Instance & { readonly sessionId: string })[];
  /** Appended in this order. */
  readonly invalidations?: readonly Invalidation[];
  readonly audit?: readonly AuditEvent[];
  /** Keys of creations that are older than `keptSinceMs` may go. */
  readonly creationKey?: CreationKey & { readonly key: string; readonly keptSinceMs: number };
  readonly consumptionKey?: ConsumptionKey & { readonly key: string; readonly sessionId: string };
  /** The commit gives it its log and cursor: the store's, after the entries above. */
  readonly revocation?: Omit<StoredRevocation, "log" | "cursor">;
}

/** Pure: the same state gives the same decision, and nothing else is touched. It may be made more than once. */
export interface Decision<Answer> {
  readonly answer: Answer;
  readonly changes: Changes;
}

const NOTHING: Changes = {};

/** Nothing is written. */
export const unchanged = <Answer>(answer: Answer): Decision<Answer> => ({ answer, changes: NOTHING });
