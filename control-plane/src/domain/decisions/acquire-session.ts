// Decides on an acquire that also says what was spent, and wants a lease: its rows are taken as a report's are, and all is decided
// together.
import { unchanged } from "../changes.js";
import type { Decision } from "../changes.js";
import type { Instance } from "../stored.js";
import { decideHold } from "./hold-session.js";
import type { Held, HoldChoice, HoldState } from "./hold-session.js";
import type { LeaseAsk } from "../leases/lease-ask.js";
import { leasesOf } from "./lease-tokens.js";
import type { LeasedSession, LeaseTerms } from "./lease-tokens.js";
import { decideReport } from "./report-usage.js";
import type { Budgets, ReportedSession } from "./report-usage.js";
import type { ReportedRow } from "./reported-rows.js";
import type { Session } from "../session.js";
import { bothChanges, recordAfter } from "../successive-changes.js";

export interface Acquisition {
  readonly asker: Instance;
  readonly atMs: number;
  /** What the asker says of the session: mostly nothing. */
  readonly rows: readonly ReportedRow[];
  readonly budgets: Budgets;
  /** What it asks of the session's fleet budget, if that has one; undefined where it asks for nothing. */
  readonly lease?: { readonly ask: LeaseAsk; readonly terms: LeaseTerms } | undefined;
}

export interface HeldWithRows extends Held {
  /** What became of the session by the rows; undefined where none were taken. */
  readonly reported: ReportedSession | undefined;
  /** What it is leased; undefined where it asked for nothing, or nothing is leased of the session. */
  readonly leased?: LeasedSession | undefined;
}

/**
 * The rows count first, so that the answer says what they say. Of an ended session they count as well, as in a report. What
 * is leased of a session that is held is written with that: a lease of its own would cost each acquire a second commit.
 */
export function decideAcquire(
  state: HoldState,
  acquisition: Acquisition,
  choose: (session: Session, holders: readonly Instance[]) => HoldChoice,
): Decision<HeldWithRows> {
  const held = decideHeld(state, acquisition, choose);
  const { lease } = acquisition;
  if (lease === undefined || state.found === undefined || held.answer.outcome !== "held") return held;
  const { id } = state.found.session;
  const leased = leasesOf(recordAfter(state.found, held.changes), [lease.ask], state, lease.terms);
  const { budget } = leased;
  if (budget === undefined) return held;
  if (budget === state.found.budget) return { ...held, answer: { ...held.answer, leased } };
  return {
    answer: { ...held.answer, budget, leased },
    changes: bothChanges(held.changes, { budgets: [{ sessionId: id, budget }] }),
  };
}

function decideHeld(
  state: HoldState,
  { asker, atMs, rows, budgets }: Acquisition,
  choose: (session: Session, holders: readonly Instance[]) => HoldChoice,
): Decision<HeldWithRows> {
  const { found, position } = state;
  if (found === undefined || rows.length === 0) {
    const { answer, changes } = decideHold(state, asker, atMs, choose);
    return { answer: { ...answer, reported: undefined }, changes };
  }
  const { id } = found.session;
  const report = decideReport(new Map([[id, found]]), rows, budgets);
  const hold = decideHold({ found: recordAfter(found, report.changes), position }, asker, atMs, choose);
  // It is decided once more, with all that was said.
  if (hold.answer.outcome === "unsure") return unchanged({ ...hold.answer, reported: undefined });
  return {
    answer: { ...hold.answer, reported: report.answer.get(id) },
    changes: bothChanges(report.changes, hold.changes),
  };
}
