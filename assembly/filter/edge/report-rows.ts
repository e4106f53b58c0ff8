// The rows of the report that is out: what is to be acknowledged when it is answered.
import { MAX_REPORT_ROWS, SESSION_ID_BYTES } from "../../contract";

//   0            16    20           24
//   | session id | rev | set number |

const ROW_BYTES: u32 = 24;
const rows: usize = memory.data(12288, 8);
let count: u32 = 0;

export function startRows(): void {
  count = 0;
}

/** Notes a row. The caller keeps to MAX_REPORT_ROWS. */
export function addRow(sessionId: usize, rev: u32, set: u32): void {
  if (count == MAX_REPORT_ROWS) return;
  const row = rows + count * ROW_BYTES;
  memory.copy(row, sessionId, SESSION_ID_BYTES);
  store<u32>(row, rev, 16);
  store<u32>(row, set, 20);
  count++;
}

export function rowCount(): u32 {
  return count;
}

/** The address of a row's session id. */
export function rowSessionId(row: u32): usize {
  return rows + row * ROW_BYTES;
}

export function rowRev(row: u32): u32 {
  return load<u32>(rows + row * ROW_BYTES, 16);
}

export function rowSet(row: u32): u32 {
  return load<u32>(rows + row * ROW_BYTES, 20);
}
