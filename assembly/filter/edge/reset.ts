// A reset to the control plane's log: each live session is asked about again before its record counts.
import { FLAG_REFRESH, FLAG_UNCONFIRMED, RECORDS_PER_SET } from "../../contract";
import { isLive, isRecord, recordAt, setAckedRev, setFlag } from "../../domain/table/record";
import { beginReset, endReset, logOfCursor, readLogCursor } from "../table/log-cursor";
import { Table } from "../state/table";
import { MAX_CAS_TRIES, setCount } from "../table/session-table";
import { SetCopy } from "../table/set-copy";

/** Sets rewritten a tick: about a millisecond. */
const SETS_A_TICK: u32 = 512;

/** The control plane cannot say what was invalidated since the edge followed log `from`. First, all workers learn of it. */
export function startReset(table: Table, from: u64, log: u64, cursor: u64): void {
  if (!beginReset(table, from, log, cursor)) return;
  const watching = table.watching;
  watching.resetting = true;
  watching.resetFrom = from;
  watching.resetLog = log;
  watching.resetCursor = cursor;
  watching.resetNext = 0;
}

/** On a tick of the leader: a slice of the reset, and after the last slice its end. */
export function continueReset(table: Table): void {
  const watching = table.watching;
  if (!watching.resetting) return;
  const sets = setCount(table);
  const end = min(watching.resetNext + SETS_A_TICK, sets);
  while (watching.resetNext < end) {
    if (!rewriteSet(table, watching.resetNext)) {
      stopReset(table);
      return;
    }
    watching.resetNext++;
  }
  if (watching.resetNext < sets) return;
  endReset(table, watching.resetFrom, watching.resetLog, watching.resetCursor);
  watching.resetting = false;
}

/** Given up, as when the VM no longer leads: the log cursor stays, and the next watch is answered by a reset. */
export function stopReset(table: Table): void {
  table.watching.resetting = false;
}

/** False: the edge follows another log meanwhile, or the set could not be written. */
function rewriteSet(table: Table, index: u32): bool {
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const set = SetCopy.at(table, index);
    if (set == 0) return true;
    readLogCursor(table);
    if (logOfCursor() != table.watching.resetFrom) return false;
    for (let slot: u32 = 0; slot < RECORDS_PER_SET; slot++) {
      const record = recordAt(set, slot);
      if (!isRecord(record)) continue;
      // What the control plane had stored may be lost with its log: it is reported again.
      setAckedRev(record, 0);
      if (isLive(record)) setFlag(record, FLAG_REFRESH | FLAG_UNCONFIRMED);
    }
    if (SetCopy.write(table)) return true;
  }
  return false;
}
