// Marks a session's record as an invalidation says: ended, or to be asked about again. Both are idempotent and may come
// in any order.
import { FLAG_PROVISIONAL, FLAG_REFRESH, RECORD_ENDED, SESSION_ID_BYTES } from "../../contract";
import { releaseAnnex } from "../../domain/table/annex";
import { flagsOf, isLive, revOf, setFlag, setFlags, setRev, setState } from "../../domain/table/record";
import { findRecord } from "../../domain/table/set";
import { parseSessionId } from "../../domain/token/session-id";
import { utf8 } from "../../memory/bytes";
import { CAS_RETRIES, count } from "../vm/counters";
import { logOfCursor, readLogCursor } from "./log-cursor";
import { Table } from "../state/table";
import { MAX_CAS_TRIES } from "./session-table";
import { SetCopy } from "./set-copy";

const sessionId: usize = memory.data(SESSION_ID_BYTES, 8);

export const MARK_ENDED: bool = true;
export const MARK_REFRESH: bool = false;

/**
 * Writes the session's set with its record so marked. The set is written even if nothing in it changes: a worker that
 * is about to insert the session fails by its cas, reads again, and finds what this edge has seen of the log.
 * @param log writes only while the table is marked by this log
 * @returns false if the set could not be written; an id that is none, and a set that is absent, need no write
 */
export function markRecord(table: Table, idText: string, ended: bool, log: u64): bool {
  const text = utf8(idText);
  if (!parseSessionId(changetype<usize>(text), text.byteLength, sessionId)) return true;
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const set = SetCopy.ofSession(table, sessionId);
    if (set == 0) return true;
    readLogCursor(table);
    if (logOfCursor() != log) return false;
    const record = findRecord(set, sessionId);
    if (record != 0) mark(set, record, ended);
    if (SetCopy.write(table)) return true;
    count(CAS_RETRIES);
  }
  return false;
}

function mark(set: usize, record: usize, ended: bool): void {
  if (!isLive(record)) return;
  if (!ended) {
    setFlag(record, FLAG_REFRESH);
    return;
  }
  setState(record, RECORD_ENDED);
  releaseAnnex(set, record);
  // A provisional one stays so until it is asked about: its figures are added to what was reported before.
  setFlags(record, flagsOf(record) & FLAG_PROVISIONAL);
  setRev(record, revOf(record) + 1);
}
