// One set of the session table: finding a session's record, and a slot for a new one.
import { RECORDS_PER_SET, RECORD_BYTES } from "../../contract";
import { elapsedUsSince } from "./bucket";
import {
  ackedRevOf,
  isEmpty,
  isLive,
  isPastEnd,
  isProvisional,
  recordSessionIdOf,
  refilledAtUsOf,
  revOf,
} from "./record";

// SET_BYTES: RECORDS_PER_SET records, one after the other. A slot is a record's number in its set.
//
//   0          80         160             1200        1280
//   | slot 0  | slot 1  | …             | slot 15  |

// @ts-ignore: decorator
@inline
export function recordAt(set: usize, slot: u32): usize {
  return set + slot * RECORD_BYTES;
}

/** The address of the session's record, live, ended or past its end; 0 if the set has none. */
export function findRecord(set: usize, sessionId: usize): usize {
  const first = load<u64>(sessionId);
  const second = load<u64>(sessionId, 8);
  for (let slot: u32 = 0; slot < RECORDS_PER_SET; slot++) {
    const record = recordAt(set, slot);
    const held = recordSessionIdOf(record);
    if (load<u64>(held) == first && load<u64>(held, 8) == second && !isEmpty(record)) return record;
  }
  return 0;
}

/** In the order in which records make room; a record that may not go has rank NEVER. */
const RANK_EMPTY: u32 = 0;
const RANK_PAST_END: u32 = 1;
const RANK_ENDED: u32 = 2;
const RANK_IDLE: u32 = 3;
const RANK_NEVER: u32 = 4;

/**
 * The address of the slot that a new session takes, or 0 if no record may go. In this order: empty; past its end;
 * ended; live and untouched for longer than `untouchedUs`, the longest idle first (docs/session-table.md).
 * `untouchedUs` is ANSWER_VALID_MS: a younger record may be one that a paused request is about to use.
 */
export function slotForNewEntry(set: usize, nowUs: u64, untouchedUs: u64): usize {
  let found: usize = 0;
  let foundRank = RANK_NEVER;
  let foundIdleUs: u64 = 0;
  for (let slot: u32 = 0; slot < RECORDS_PER_SET; slot++) {
    const record = recordAt(set, slot);
    const idleUs = elapsedUsSince(refilledAtUsOf(record), nowUs);
    const rank = rankOf(record, nowUs, idleUs, untouchedUs);
    if (rank < foundRank || (rank == RANK_IDLE && foundRank == RANK_IDLE && idleUs > foundIdleUs)) {
      found = record;
      foundRank = rank;
      foundIdleUs = idleUs;
    }
  }
  return found;
}

function rankOf(record: usize, nowUs: u64, idleUs: u64, untouchedUs: u64): u32 {
  if (isEmpty(record)) return RANK_EMPTY;
  if (!mayGo(record)) return RANK_NEVER;
  if (isPastEnd(record, nowUs)) return RANK_PAST_END;
  if (!isLive(record)) return RANK_ENDED;
  return idleUs > untouchedUs ? RANK_IDLE : RANK_NEVER;
}

/** Whether nothing is lost when the record goes: the control plane has stored all that it says. */
function mayGo(record: usize): bool {
  return revOf(record) == ackedRevOf(record) && !isProvisional(record);
}

/** Whether the record says something that the control plane has not stored yet. A provisional one is asked for first. */
export function isDirty(record: usize): bool {
  return !isEmpty(record) && revOf(record) != ackedRevOf(record) && !isProvisional(record);
}
