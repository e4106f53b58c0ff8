// Notes in the table what the control plane has stored: from then on those records may be evicted.
import { RECORD_BYTES } from "../../contract";
import { ackedRevOf, isProvisional, revOf, setAckedRev } from "../../domain/table/record";
import { findRecord } from "../../domain/table/set";
import { CAS_RETRIES, count } from "../vm/counters";
import { readLogCursor, seenLogOfCursor } from "../table/log-cursor";
import { rowCount, rowRev, rowSessionId, rowSet } from "./report-rows";
import { Table } from "../state/table";
import { MAX_CAS_TRIES } from "../table/session-table";
import { SetCopy } from "../table/set-copy";

/** Acknowledges the rows of the report that was answered under `log`, set by set. */
export function acknowledgeRows(table: Table, log: u64): void {
  let row: u32 = 0;
  while (row < rowCount()) {
    let end = row + 1;
    while (end < rowCount() && rowSet(end) == rowSet(row)) end++;
    acknowledgeSet(table, log, row, end);
    row = end;
  }
}

/** The rows from `first` to before `end`, all of one set, in one write. */
function acknowledgeSet(table: Table, log: u64, first: u32, end: u32): void {
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const set = SetCopy.at(table, rowSet(first));
    if (set == 0) return;
    readLogCursor(table);
    // Stored by a control plane that this edge no longer follows: it counts for nothing.
    if (seenLogOfCursor() != log) return;
    let changed = false;
    for (let row = first; row < end; row++) if (acknowledge(table, set, row)) changed = true;
    if (!changed || SetCopy.write(table)) return;
    count(CAS_RETRIES);
  }
}

/** Raises ackedRev, never above rev. A mark goes only when the two are equal. True if the record changed. */
function acknowledge(table: Table, set: usize, row: u32): bool {
  const record = findRecord(set, rowSessionId(row));
  if (record == 0 || isProvisional(record)) return false;
  const rev = revOf(record);
  const acked = rowRev(row);
  if (acked > rev) return false;
  if (acked == rev) table.dirty.unmark(rowSet(row), <u32>((record - set) / RECORD_BYTES));
  if (acked <= ackedRevOf(record)) return false;
  setAckedRev(record, acked);
  return true;
}
