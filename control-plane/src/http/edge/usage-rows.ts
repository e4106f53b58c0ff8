// The rows of a report, read strictly: what is counted against a session is never guessed.
import type { MalformedRow, RowOfReport } from "../../app/edges/report-usage.js";

const SESSION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** A record's rev is a u32. */
const MAX_REV = 0xffff_ffff;

export interface RowsReading {
  readonly rows: readonly RowOfReport[];
  readonly malformed: readonly MalformedRow[];
}

/**
 * [session id, rev, consumed, level, idleMs]; a newer edge may add more after these. A row that is not so takes none of
 * the others with it: one bad record would keep all that its worker has to say from the control plane.
 */
export function readUsageRows(usage: readonly unknown[]): RowsReading {
  const rows: RowOfReport[] = [];
  const malformed: MalformedRow[] = [];
  for (const row of usage) {
    const [sessionId, rev, consumed, levelMicro, idleMs] = Array.isArray(row) ? (row as unknown[]) : [];
    const id = typeof sessionId === "string" && SESSION_ID.test(sessionId) ? sessionId : undefined;
    if (id === undefined || !isWhole(rev) || rev > MAX_REV || !isWhole(consumed)) malformed.push({ sessionId: id });
    else if (!isInteger(levelMicro) || !isWhole(idleMs)) malformed.push({ sessionId: id });
    else rows.push({ sessionId: id, rev, consumed, levelMicro, idleMs });
  }
  return { rows, malformed };
}

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);
const isWhole = (value: unknown): value is number => isInteger(value) && value >= 0;
