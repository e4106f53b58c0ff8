// How far this edge has come in the control plane's invalidation log: one shared-data key a table.
//
// `seen` is the highest cursor that an answer to any worker of this edge has named; `cursor` is up to where the table has
// been marked. Within one log both only grow. A worker that inserts compares its answer with `seen`, so an answer that was
// made before an invalidation cannot undo it (docs/edge-protocol.md).
import { CAS_ABSENT, sharedCas, sharedValue } from "../../host/shared-data";
import { OK } from "../../host/status";
import { Table } from "../state/table";
import { LOG_CURSOR_KEY, readTableKey, writeTableKey } from "./session-table";

//   0     8        16         24     32
//   | log | cursor | seen log | seen |

const LOG_CURSOR_BYTES: u32 = 32;
const bytes: usize = memory.data(32, 8);
/** Bounds every loop here; each turn lost means that another worker moved the cursor on. */
const MAX_TRIES: u32 = 32;

/** No log is known yet: the id of a log is never 0. */
export const NO_LOG: u64 = 0;

let cas: u32 = CAS_ABSENT;

/** Reads the cursor; all zero where the edge has none yet. See `logOfCursor` and the others. */
export function readLogCursor(table: Table): void {
  if (readTableKey(table, LOG_CURSOR_KEY) == OK) {
    memory.copy(bytes, sharedValue(), LOG_CURSOR_BYTES);
    cas = sharedCas();
  } else {
    memory.fill(bytes, 0, LOG_CURSOR_BYTES);
    cas = CAS_ABSENT;
  }
}

export function logOfCursor(): u64 {
  return load<u64>(bytes);
}

export function numberOfCursor(): u64 {
  return load<u64>(bytes, 8);
}

export function seenLogOfCursor(): u64 {
  return load<u64>(bytes, 16);
}

function seenNumberOfCursor(): u64 {
  return load<u64>(bytes, 24);
}

/** Writes what was read, as changed since. False: another worker was faster. */
function writeLogCursor(table: Table): bool {
  return writeTableKey(table, LOG_CURSOR_KEY, bytes, LOG_CURSOR_BYTES, cas) == OK;
}

/** The first answer of a control plane begins the edge's log, of an acquire or a watch. One that has begun stays. */
export function beginLog(table: Table, log: u64, cursor: u64): void {
  readLogCursor(table);
  if (logOfCursor() != NO_LOG) return;
  setLog(log, cursor);
  if (seenLogOfCursor() != log || seenNumberOfCursor() < cursor) setSeen(log, cursor);
  if (!writeLogCursor(table)) readLogCursor(table);
}

/** Whether a positive answer, made at `cursor` of `log`, knows every invalidation that this edge knows of. */
export function isUpToDate(table: Table, log: u64, cursor: u64): bool {
  readLogCursor(table);
  if (seenLogOfCursor() == NO_LOG) beginLog(table, log, cursor);
  return seenLogOfCursor() == log && cursor >= seenNumberOfCursor();
}

/** Notes that the edge has seen the log up to `cursor`. False: it now follows another log, or it could not be noted. */
export function raiseSeen(table: Table, log: u64, cursor: u64): bool {
  for (let tries: u32 = 0; tries < MAX_TRIES; tries++) {
    readLogCursor(table);
    if (seenLogOfCursor() == NO_LOG) beginLog(table, log, cursor);
    if (seenLogOfCursor() != log) return false;
    if (seenNumberOfCursor() >= cursor) return true;
    setSeen(log, cursor);
    if (writeLogCursor(table)) return true;
  }
  return false;
}

/** Notes that the table is marked up to `cursor`. False: the edge now follows another log, or it could not be noted. */
export function raiseCursor(table: Table, log: u64, cursor: u64): bool {
  for (let tries: u32 = 0; tries < MAX_TRIES; tries++) {
    readLogCursor(table);
    if (logOfCursor() != log) return false;
    if (numberOfCursor() >= cursor) return true;
    setLog(log, cursor);
    if (writeLogCursor(table)) return true;
  }
  return false;
}

/** A reset begins: answers of the old log count no more. `from` is the log whose watch was answered by the reset. */
export function beginReset(table: Table, from: u64, log: u64, cursor: u64): bool {
  for (let tries: u32 = 0; tries < MAX_TRIES; tries++) {
    readLogCursor(table);
    if (logOfCursor() != from) return false;
    // Within one log `seen` never falls back.
    if (seenLogOfCursor() == log && seenNumberOfCursor() >= cursor) return true;
    setSeen(log, cursor);
    if (writeLogCursor(table)) return true;
  }
  return false;
}

/**
 * A policy of this log has come. If it is another log than the edge follows, a reset to it is due: from here on answers of
 * the former count no more. The reset itself comes with the next watch, and raises what this leaves at 0.
 * @param sentLog the log with which the watch was sent that is answered so
 * @param sentSeenLog the log that the edge followed when it was sent
 * @returns false if the edge has turned to yet another log since, or is about to leave this one
 */
export function followLog(table: Table, log: u64, sentLog: u64, sentSeenLog: u64): bool {
  for (let tries: u32 = 0; tries < MAX_TRIES; tries++) {
    readLogCursor(table);
    const seenLog = seenLogOfCursor();
    if (seenLog == NO_LOG || seenLog == log) return true;
    if (log == sentLog || seenLog != sentSeenLog) return false;
    setSeen(log, 0);
    if (writeLogCursor(table)) return true;
  }
  return false;
}

/** Every set has been rewritten: the edge follows the new log from here. */
export function endReset(table: Table, from: u64, log: u64, cursor: u64): bool {
  for (let tries: u32 = 0; tries < MAX_TRIES; tries++) {
    readLogCursor(table);
    if (logOfCursor() != from || seenLogOfCursor() != log) return false;
    if (from == log && numberOfCursor() >= cursor) return true;
    setLog(log, cursor);
    if (writeLogCursor(table)) return true;
  }
  return false;
}

function setLog(log: u64, cursor: u64): void {
  store<u64>(bytes, log);
  store<u64>(bytes, cursor, 8);
}

function setSeen(log: u64, cursor: u64): void {
  store<u64>(bytes, log, 16);
  store<u64>(bytes, cursor, 24);
}
