// The rows of a report, read strictly: what is counted against a session is never guessed.
import type { RowOfReport } from "../../app/edges/report-usage.js";

const SESSION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** A record's rev is a u32. */
const MAX_REV = 0xffff_ffff;
const COLUMNS = ["session id", "rev", "consumed", "level", "idleMs"] as const;

export type RowsReading =
  | { readonly rows: readonly RowOfReport[] }
  /** Path of the value that is wrong, such as `usage.3.1`, and what was expected there. */
  | { readonly field: string; readonly message: string };

/** [session id, rev, consumed, level, idleMs]; a newer edge may add more after these. */
export function readUsageRows(usage: readonly (readonly unknown[])[]): RowsReading {
  const rows: RowOfReport[] = [];
  for (const [at, row] of usage.entries()) {
    const [sessionId, rev, consumed, levelMicro, idleMs] = row;
    if (typeof sessionId !== "string" || !SESSION_ID.test(sessionId)) return violation(at, 0, "a UUIDv7 in lower case");
    if (!isWhole(rev) || rev > MAX_REV) return violation(at, 1, `an integer from 0 to ${MAX_REV}`);
    if (!isWhole(consumed)) return violation(at, 2, "an integer from 0 to 2^53 - 1");
    if (!Number.isSafeInteger(levelMicro)) return violation(at, 3, "an integer, in microtokens");
    if (!isWhole(idleMs)) return violation(at, 4, "an integer from 0 to 2^53 - 1");
    rows.push({ sessionId, rev, consumed, levelMicro: levelMicro as number, idleMs });
  }
  return { rows };
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function violation(row: number, column: 0 | 1 | 2 | 3 | 4, expected: string): RowsReading {
  const field = `usage.${row}.${column}`;
  return { field, message: `${field} (${COLUMNS[column]}) is missing or wrong: expected ${expected}` };
}
