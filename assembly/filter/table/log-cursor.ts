// How far this edge has come in the control plane's log of withdrawals: one shared-data key a table.
//
// `seen` is what some worker of this edge has heard of, `cursor` is up to where the table has been marked. Within one
// log both only grow. A worker that inserts compares its answer with `seen`; so an answer that was made before a
// withdrawal cannot undo it (docs/edge-protocol.md).
import { CAS_ABSENT, sharedCas, sharedValue } from "../../host/shared-data";
import { OK } from "../../host/status";
import { Table } from "../state/table";
import { PLACE_KEY, readTableKey, writeTableKey } from "./session-table";

//   0     8        16         24     32
//   | log | cursor | seen log | seen |

const PLACE_BYTES: u32 = 32;
const place: usize = memory.data(32, 8);
/** Bounds every loop here; each turn lost means that another worker moved the place on. */
const MAX_TRIES: u32 = 32;

/** No log is known yet: the id of a log is never 0. */
export const NO_LOG: u64 = 0;

let cas: u32 = CAS_ABSENT;

/** Reads the place; all zero where the edge has none yet. See `logOfPlace` and the others. */
export function readPlace(table: Table): void {
  if (readTableKey(table, PLACE_KEY) == OK) {
    memory.copy(place, sharedValue(), PLACE_BYTES);
    cas = sharedCas();
  } else {
    memory.fill(place, 0, PLACE_BYTES);
    cas = CAS_ABSENT;
  }
}

export function logOfPlace(): u64 {
  return load<u64>(place);
}

export function cursorOfPlace(): u64 {
  return load<u64>(place, 8);
}

export function seenLogOfPlace(): u64 {
  return load<u64>(place, 16);
}

export function seenOfPlace(): u64 {
  return load<u64>(place, 24);
}

/** Writes what was read, as changed since. False: another worker was faster. */
function writePlace(table: Table): bool {
  return writeTableKey(table, PLACE_KEY, place, PLACE_BYTES, cas) == OK;
}

/** The first answer of a control plane begins the edge's log, of an acquire or a watch. One that has begun stays. */
export function beginLog(table: Table, log: u64, cursor: u64): void {
  readPlace(table);
  if (logOfPlace() != NO_LOG) return;
  setLog(log, cursor);
  if (seenLogOfPlace() != log || seenOfPlace() < cursor) setSeen(log, cursor);
  if (!writePlace(table)) readPlace(table);
}

/** Whether a positive answer, made at `cursor` of `log`, knows all that this edge has heard of. */
export function isUpToDate(table: Table, log: u64, cursor: u64): bool {
  readPlace(table);
  if (seenLogOfPlace() == NO_LOG) beginLog(table, log, cursor);
  return seenLogOfPlace() == log && cursor >= seenOfPlace();
}

/** Notes that the edge has heard of the log up to `cursor`. False: it now follows another log, or it could not be noted. */
export function raiseSeen(table: Table, log: u64, cursor: u64): bool {
  for (let tries: u32 = 0; tries < MAX_TRIES; tries++) {
    readPlace(table);
    if (seenLogOfPlace() == NO_LOG) beginLog(table, log, cursor);
    if (seenLogOfPlace() != log) return false;
    if (seenOfPlace() >= cursor) return true;
    setSeen(log, cursor);
    if (writePlace(table)) return true;
  }
  return false;
}

/** Notes that the table is marked up to `cursor`. False: the edge now follows another log, or it could not be noted. */
export function raiseCursor(table: Table, log: u64, cursor: u64): bool {
  for (let tries: u32 = 0; tries < MAX_TRIES; tries++) {
    readPlace(table);
    if (logOfPlace() != log) return false;
    if (cursorOfPlace() >= cursor) return true;
    setLog(log, cursor);
    if (writePlace(table)) return true;
  }
  return false;
}

/** A reset begins: answers of the old log count no more. `from` is the log whose watch was answered by the reset. */
export function beginReset(table: Table, from: u64, log: u64, cursor: u64): bool {
  for (let tries: u32 = 0; tries < MAX_TRIES; tries++) {
    readPlace(table);
    if (logOfPlace() != from) return false;
    // Within one log `seen` never falls back.
    if (seenLogOfPlace() == log && seenOfPlace() >= cursor) return true;
    setSeen(log, cursor);
    if (writePlace(table)) return true;
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
    readPlace(table);
    const seenLog = seenLogOfPlace();
    if (seenLog == NO_LOG || seenLog == log) return true;
    if (log == sentLog || seenLog != sentSeenLog) return false;
    setSeen(log, 0);
    if (writePlace(table)) return true;
  }
  return false;
}

/** Every set has been rewritten: the edge follows the new log from here. */
export function endReset(table: Table, from: u64, log: u64, cursor: u64): bool {
  for (let tries: u32 = 0; tries < MAX_TRIES; tries++) {
    readPlace(table);
    if (logOfPlace() != from || seenLogOfPlace() != log) return false;
    if (from == log && cursorOfPlace() >= cursor) return true;
    setLog(log, cursor);
    if (writePlace(table)) return true;
  }
  return false;
}

function setLog(log: u64, cursor: u64): void {
  store<u64>(place, log);
  store<u64>(place, cursor, 8);
}

function setSeen(log: u64, cursor: u64): void {
  store<u64>(place, log, 16);
  store<u64>(place, cursor, 24);
}
