// What the response side of a stream needs, in a fixed table mapped directly by context id. No callback at a stream's
// end is needed: a newer stream overwrites an older one's entry, and the id in the entry makes a wrong one impossible.
import { NO_ROOT, newestSlot, slotOfRoot } from "../state/roots";

//   0            4           8            12             16              24
//   | context id | root slot | plan index | epoch number | level (pico)  |

const ENTRIES: u32 = 4096;
const ENTRY_BYTES: u32 = 24;
const table: usize = memory.data(98304, 8);

/** In place of a plan index: this stream's response carries no limit headers. */
export const NO_PLAN: u32 = 0xffffffff;

// @ts-ignore: decorator
@inline
function entryOf(contextId: u32): usize {
  return table + (contextId & (ENTRIES - 1)) * ENTRY_BYTES;
}

/** A stream begins under a root context. */
export function openStreamOf(contextId: u32, rootId: u32): void {
  const entry = entryOf(contextId);
  store<u32>(entry, contextId);
  store<u32>(entry, slotOfRoot(rootId), 4);
  store<u32>(entry, NO_PLAN, 8);
}

/** The slot of the stream's root. If that was forgotten: of the root configured last. */
export function rootSlotOfStream(contextId: u32): u32 {
  const entry = entryOf(contextId);
  return load<u32>(entry) == contextId ? load<u32>(entry, 4) : newestSlot();
}

/** Notes what the response is to say of the bucket, and under which epoch that was decided. */
export function noteBucket(contextId: u32, rootSlot: u32, epoch: u32, planIndex: u32, levelPico: i64): void {
  const entry = entryOf(contextId);
  store<u32>(entry, contextId);
  store<u32>(entry, rootSlot, 4);
  store<u32>(entry, planIndex, 8);
  store<u32>(entry, epoch, 12);
  store<i64>(entry, levelPico, 16);
}

/** Takes the note of a stream: false if a newer stream's overwrote it. See `noteRoot`, `noteEpoch`, `notePlan`, `noteLevel`. */
export function takeNote(contextId: u32): bool {
  const entry = entryOf(contextId);
  if (load<u32>(entry) != contextId) {
    takenRootSlot = NO_ROOT;
    return false;
  }
  takenRootSlot = load<u32>(entry, 4);
  takenPlanIndex = load<u32>(entry, 8);
  takenEpoch = load<u32>(entry, 12);
  takenLevelPico = load<i64>(entry, 16);
  store<u32>(entry, NO_PLAN, 8);
  return true;
}

let takenRootSlot: u32 = NO_ROOT;
let takenPlanIndex: u32 = NO_PLAN;
let takenEpoch: u32 = 0;
let takenLevelPico: i64 = 0;

export function noteRoot(): u32 {
  return takenRootSlot;
}

export function notePlan(): u32 {
  return takenPlanIndex;
}

export function noteEpoch(): u32 {
  return takenEpoch;
}

export function noteLevel(): i64 {
  return takenLevelPico;
}
