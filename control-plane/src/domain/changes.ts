// What a decision answers: what is to be written, all of it or nothing, and the answer to the caller.
import type { FleetBudget } from "./leases/fleet-budget.js";
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

/** Null: the session has none any more. */
export interface BudgetChange {
  readonly sessionId: string;
  readonly budget: FleetBudget | null;
}

/** What is to be written in one commit. */
export interface Changes {
  readonly sessions?: readonly SessionChange[];
  /** Of sessions that stay. */
  readonly rows?: readonly StoredRow[];
  /** Rows that go, of sessions that stay. */
  readonly removedRows?: readonly (Instance & { readonly sessionId: string })[];
  /** Of sessions that stay, one a session; one that goes takes its budget along. */
  readonly budgets?: readonly BudgetChange[];
  /** Appended in this order. */
  readonly invalidations?: readonly Invalidation[];
  readonly audit?: readonly AuditEvent[];
  /** Keys of creations that are older than `keptSinceMs` may go. */
  readonly creationKey?: CreationKey & { readonly key: string; readonly keptSinceMs: number };
  readonly consumptionKey?: ConsumptionKey & { readonly key: string; readonly sessionId: string };
  /** The commit gives it its log and cursor: the store's, after the entries above. */
  readonly revocation?: Omit<StoredRevocation, "log" | "cursor">;
}

/** Without those of sessions that go: nothing of them is to be left. */
export function budgetsToWrite({ sessions = [], budgets = [] }: Changes): readonly BudgetChange[] {
  const gone = new Set(sessions.flatMap(({ before, after }) => (after === null ? [before?.id] : [])));
  return budgets.filter(({ sessionId }) => !gone.has(sessionId));
}

/** Pure: the same state gives the same decision, and nothing else is touched. It may be made more than once. */
export interface Decision<Answer> {
  readonly answer: Answer;
  readonly changes: Changes;
}

const NOTHING: Changes = {};

/** Nothing is written. */
export const unchanged = <Answer>(answer: Answer): Decision<Answer> => ({ answer, changes: NOTHING });
