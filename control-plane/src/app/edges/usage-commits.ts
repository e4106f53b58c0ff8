// Group commit of reported rows.
import type { ReportedSession } from "../../domain/decisions/report-usage.js";
import type { ReportedRow } from "../../domain/decisions/reported-rows.js";
import type { Requests } from "../ports/tracing-ports.js";
import { GroupCommits } from "./group-commits.js";
import type { Became } from "./group-commits.js";

/** Measured at about 10 µs a row. */
const MAX_ROWS_A_COMMIT = 256;
/** About 20 MB. Past it a report is denied: its edge keeps the rows, and sends newer figures a little later. */
const MAX_WAITING_ROWS = 65_536;

export type Committed = Became<ReportedSession>;

export class UsageCommits extends GroupCommits<ReportedRow, ReportedSession> {
  constructor(
    /** Commits rows, of a session at an instance in the order of their rev; resolves once they are durable. */
    write: (rows: readonly ReportedRow[]) => Promise<Committed>,
    /** Told of each commit once, however many reports were in it. */
    onCommit: (committed: Committed) => void,
    requests?: Requests,
  ) {
    const bounds = { maxRowsACommit: MAX_ROWS_A_COMMIT, maxWaitingRows: MAX_WAITING_ROWS };
    super({ write, onCommit, thatCount: rowsThatCount, inPart: false, ...bounds, requests });
  }
}

/**
 * Of rows about the same session at the same instance only those that count: the newest one, and before it the newest that
 * tells of further limits, where it does not.
 */
export function rowsThatCount(rows: readonly ReportedRow[]): ReportedRow[] {
  const newest = new Map<string, ReportedRow>();
  const newestOfLimits = new Map<string, ReportedRow>();
  for (const row of rows) {
    const key = `${row.sessionId}${row.instance}${row.edge}`;
    if (row.rev >= (newest.get(key)?.rev ?? 0)) newest.set(key, row);
    if (row.limits === undefined) continue;
    if (row.rev >= (newestOfLimits.get(key)?.rev ?? 0)) newestOfLimits.set(key, row);
  }
  return [...newest].flatMap(([key, row]) => {
    const ofLimits = newestOfLimits.get(key);
    if (ofLimits === undefined) return [row];
    return ofLimits.rev === row.rev ? [ofLimits] : [ofLimits, row];
  });
}
