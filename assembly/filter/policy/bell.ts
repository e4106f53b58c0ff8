// The bell of a table in shared data (domain/edge/bell.ts). Every VM reads it on each tick, and each write is by cas.
import { BELL_BYTES, bellGeneration, bellHash, bellLog, renameBell, setResult } from "../../domain/edge/bell";
import { CAS_ABSENT, sharedCas, sharedValue } from "../../host/shared-data";
import { OK } from "../../host/status";
import { NO_LOG, readLogCursor, seenLogOfCursor } from "../table/log-cursor";
import { BELL_KEY, readTableKey, writeTableKey } from "../table/session-table";
import { Table } from "../state/table";

const copy: usize = memory.data(128, 8);
let cas: u32 = CAS_ABSENT;
/** Each turn lost means that another VM wrote it. */
const MAX_TRIES: u32 = 32;

/** The address of a copy of the bell, there is one at a time; 0: this edge knows of no policy. */
export function readBell(table: Table): usize {
  if (readTableKey(table, BELL_KEY) != OK) return 0;
  memory.copy(copy, sharedValue(), BELL_BYTES);
  cas = sharedCas();
  return copy;
}

/** Notes which policy the bell names. */
export function noteBell(table: Table, nowUs: u64): void {
  const bell = readBell(table);
  if (bell != 0) table.noteGeneration(bellGeneration(bell), nowUs);
}

/** Writes the copy back. False: another VM wrote it meanwhile. */
export function writeBell(table: Table, bell: usize): bool {
  return writeTableKey(table, BELL_KEY, bell, BELL_BYTES, cas) == OK;
}

/** Whether a policy of this log may be written: read between the read of what is overwritten and its cas. */
export function followsLog(table: Table, log: u64): bool {
  readLogCursor(table);
  const seen = seenLogOfCursor();
  return seen == log || seen == NO_LOG;
}

/**
 * Names the bytes that were just written as the policy. Within a log only a higher generation, and only of the log
 * that this edge follows.
 * @returns false if the edge follows another log, or knows of a newer policy
 */
export function ring(table: Table, log: u64, generation: u64, hash: u64, size: u32, spreadMs: u32): bool {
  for (let tries: u32 = 0; tries < MAX_TRIES; tries++) {
    let bell = readBell(table);
    if (bell == 0) {
      bell = copy;
      memory.fill(bell, 0, BELL_BYTES);
      cas = CAS_ABSENT;
    }
    if (!followsLog(table, log)) return false;
    if (bellLog(bell) == log && bellGeneration(bell) >= generation) return bellHash(bell) == hash;
    renameBell(bell, log, generation, hash, size, spreadMs);
    if (writeBell(table, bell)) return true;
  }
  return false;
}

/** Notes a build's result for the policy with this hash. False: the bell names another one by now. */
export function giveResult(table: Table, hash: u64, build: u64, state: u32, nowUs: u64): bool {
  for (let tries: u32 = 0; tries < MAX_TRIES; tries++) {
    const bell = readBell(table);
    if (bell == 0 || bellHash(bell) != hash) return false;
    setResult(bell, build, state, nowUs);
    if (writeBell(table, bell)) return true;
  }
  return false;
}
