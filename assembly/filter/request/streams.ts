// What the response side of a stream needs, in a fixed table mapped directly by context id. No callback at a stream's
// end is needed: a newer stream overwrites an older one's entry, and the id in the entry makes a wrong one impossible.
import { ALL_LEVELS_BYTES } from "../../domain/limits/buckets";
import { newestSlot, slotOfRoot } from "../state/roots";

/** Stands as a plan's index where the stream's response carries no limit headers. */
export const NO_PLAN: u32 = 0xffffffff;

/** An entry of the table: what is noted of one stream. */
@unmanaged
export class StreamNote {
  contextId: u32;
  /** Of the stream's root (roots.ts). */
  rootSlot: u32;
  /** What the response is to say of the bucket: which plan's it is, or NO_PLAN, */
  planIndex: u32;
  /** under which epoch that was decided, */
  epoch: u32;
  /** and what it holds. */
  levelPico: i64;
  /** Of a plan with further limits: which of them is the tightest; the level is its, */
  limit: u32;
  /** and what the request's route says of limits by name (Request.limitCosts). */
  limitCosts: u32;
}

const ENTRIES: u32 = 4096;
const ENTRY_BYTES: u32 = offsetof<StreamNote>();
const table: usize = memory.data(ENTRIES * ENTRY_BYTES, 8);
/** Of each entry: what all limits of its plan hold, where the response is to say that. */
const levels: usize = memory.data(ENTRIES * ALL_LEVELS_BYTES, 8);

// @ts-ignore: decorator
@inline
function entryOf(contextId: u32): StreamNote {
  return changetype<StreamNote>(table + (contextId & (ENTRIES - 1)) * ENTRY_BYTES);
}

/** A stream begins under a root context. */
export function openStreamOf(contextId: u32, rootId: u32): void {
  const note = entryOf(contextId);
  note.contextId = contextId;
  note.rootSlot = slotOfRoot(rootId);
  note.planIndex = NO_PLAN;
}

/** The slot of the stream's root. If that was forgotten: of the root configured last. */
export function rootSlotOfStream(contextId: u32): u32 {
  const note = entryOf(contextId);
  return note.contextId == contextId ? note.rootSlot : newestSlot();
}

/** Notes what the response is to say of the bucket, and under which epoch that was decided. */
export function noteBucket(contextId: u32, rootSlot: u32, epoch: u32, planIndex: u32, levelPico: i64): void {
  const note = entryOf(contextId);
  note.contextId = contextId;
  note.rootSlot = rootSlot;
  note.planIndex = planIndex;
  note.epoch = epoch;
  note.levelPico = levelPico;
}

/**
 * Notes the rest of a bucket of a plan with further limits, once the bucket is noted.
 * @param buckets all of the plan's (domain/limits/buckets.ts); 0: the response does not say them
 */
export function noteLimits(contextId: u32, limit: u32, limitCosts: u32, buckets: usize): void {
  const note = entryOf(contextId);
  note.limit = limit;
  note.limitCosts = limitCosts;
  if (buckets != 0) memory.copy(levelsOfNote(contextId), buckets, ALL_LEVELS_BYTES);
}

/** What is noted of all buckets: levels in the order of the limits. */
export function levelsOfNote(contextId: u32): usize {
  return levels + (contextId & (ENTRIES - 1)) * ALL_LEVELS_BYTES;
}

/** What is noted of a stream; null if a newer stream's note overwrote it. */
export function noteOf(contextId: u32): StreamNote | null {
  const note = entryOf(contextId);
  return note.contextId == contextId ? note : null;
}
