// One set of the session table: finding a session's record, and a slot for a new one.
import { RECORDS_PER_SET, RECORD_ANNEX, RECORD_EMPTY } from "../../contract";
import { isOrphan } from "./annex";
import { elapsedUsSince } from "./bucket";
import {
  ackedRevOf,
  isLive,
  isPastEnd,
  isProvisional,
  isRecord,
  recordAt,
  recordSessionIdOf,
  refilledAtUsOf,
  revOf,
  stateOf,
} from "./record";

// SET_BYTES: RECORDS_PER_SET slots, one after the other, each empty or with a record or an annex.
//
//   0          80         160             1200        1280
//   | slot 0  | slot 1  | …             | slot 15  |

/** The address of the session's record, live, ended or past its end; 0 if the set has none. */
export function findRecord(set: usize, sessionId: usize): usize {
  const first = load<u64>(sessionId);
  const second = load<u64>(sessionId, 8);
  for (let slot: u32 = 0; slot < RECORDS_PER_SET; slot++) {
    const record = recordAt(set, slot);
    const held = recordSessionIdOf(record);
    if (load<u64>(held) == first && load<u64>(held, 8) == second && isRecord(record)) return record;
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
 * `untouchedUs` is ANSWER_VALID_MS: a younger record may be one that a paused request is about to use. An annex goes with
 * its record, and never alone.
 * @param except a record that stays; 0: none
 */
export function slotForNewEntry(set: usize, nowUs: u64, untouchedUs: u64, except: usize = 0): usize {
  let found: usize = 0;
  let foundRank = RANK_NEVER;
  let foundIdleUs: u64 = 0;
  for (let slot: u32 = 0; slot < RECORDS_PER_SET; slot++) {
    const record = recordAt(set, slot);
    if (record == except) continue;
    const idleUs = elapsedUsSince(refilledAtUsOf(record), nowUs);
    const rank = rankOf(set, record, nowUs, idleUs, untouchedUs);
    if (rank < foundRank || (rank == RANK_IDLE && foundRank == RANK_IDLE && idleUs > foundIdleUs)) {
      found = record;
      foundRank = rank;
      foundIdleUs = idleUs;
    }
  }
  return found;
}

function rankOf(set: usize, record: usize, nowUs: u64, idleUs: u64, untouchedUs: u64): u32 {
  const state = stateOf(record);
  if (state == RECORD_EMPTY) return RANK_EMPTY;
  if (state == RECORD_ANNEX) return isOrphan(set, record) ? RANK_EMPTY : RANK_NEVER;
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
  return isRecord(record) && revOf(record) != ackedRevOf(record) && !isProvisional(record);
}
