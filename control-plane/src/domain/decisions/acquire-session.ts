// Decides on an acquire that also says what was spent: its rows are taken as a report's are, and it is decided with them.
import { unchanged } from "../changes.js";
import type { Decision } from "../changes.js";
import type { Instance } from "../stored.js";
import { decideHold } from "./hold-session.js";
import type { Held, HoldChoice, HoldState } from "./hold-session.js";
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
}

export interface HeldWithRows extends Held {
  /** What became of the session by the rows; undefined where none were taken. */
  readonly reported: ReportedSession | undefined;
}

/** The rows count first, so that the answer says what they say. Of an ended session they count as well, as in a report. */
export function decideAcquire(
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
