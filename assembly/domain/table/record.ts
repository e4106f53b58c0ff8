// One record of the session table: its fields by the record's address. Offsets stand in contract.ts.
import {
  FLAG_PROVISIONAL,
  RECORD_ACKED_REV_AT,
  RECORD_ANNEX_AT,
  RECORD_BYTES,
  RECORD_CONSUMED_AT,
  RECORD_EMPTY,
  RECORD_ENDED,
  RECORD_ENDS_AT_AT,
  RECORD_FLAGS_AT,
  RECORD_LEVEL_AT,
  RECORD_LIVE,
  RECORD_PLAN_ID_AT,
  RECORD_REFILLED_AT_AT,
  RECORD_REMAINDER_AT,
  RECORD_REV_AT,
  RECORD_STATE_AT,
  RECORD_TOKEN_AT,
  TOKEN_BYTES,
  TOKEN_SESSION_ID_AT,
} from "../../contract";

// 80 bytes, little endian:
//
//   0       36    40      48            56         64        68     70      71      72          76          78      79
//   | token | rev | level | refilled at | consumed | ends at | plan | state | flags | acked rev | remainder | annex | (1)
//
// Times are of the monotonic clock: the table never outlives the process that the clock counts for.

/** The token, decoded: TOKEN_BYTES. */
// @ts-ignore: decorator
@inline
export function recordTokenOf(record: usize): usize {
  return record + RECORD_TOKEN_AT;
}

// @ts-ignore: decorator
@inline
export function setRecordToken(record: usize, token: usize): void {
  memory.copy(record + RECORD_TOKEN_AT, token, TOKEN_BYTES);
}

/** The record's identity: SESSION_ID_BYTES. */
// @ts-ignore: decorator
@inline
export function recordSessionIdOf(record: usize): usize {
  return record + RECORD_TOKEN_AT + TOKEN_SESSION_ID_AT;
}

/** Grows with every admitted request and every change of state. */
// @ts-ignore: decorator
@inline
export function revOf(record: usize): u32 {
  return load<u32>(record + RECORD_REV_AT);
}

// @ts-ignore: decorator
@inline
export function setRev(record: usize, rev: u32): void {
  store<u32>(record + RECORD_REV_AT, rev);
}

/** Picotokens; below 0 it owes. */
// @ts-ignore: decorator
@inline
export function levelPicoOf(record: usize): i64 {
  return load<i64>(record + RECORD_LEVEL_AT);
}

// @ts-ignore: decorator
@inline
export function setLevelPico(record: usize, levelPico: i64): void {
  store<i64>(record + RECORD_LEVEL_AT, levelPico);
}

/** When the level was computed, and so the last admitted request. */
// @ts-ignore: decorator
@inline
export function refilledAtUsOf(record: usize): u64 {
  return load<u64>(record + RECORD_REFILLED_AT_AT);
}

// @ts-ignore: decorator
@inline
export function setRefilledAtUs(record: usize, refilledAtUs: u64): void {
  store<u64>(record + RECORD_REFILLED_AT_AT, refilledAtUs);
}

/** Tokens that this session spent in this table. */
// @ts-ignore: decorator
@inline
export function consumedOf(record: usize): u64 {
  return load<u64>(record + RECORD_CONSUMED_AT);
}

// @ts-ignore: decorator
@inline
export function setConsumed(record: usize, consumed: u64): void {
  store<u64>(record + RECORD_CONSUMED_AT, consumed);
}

/** The session's absolute end, s. */
// @ts-ignore: decorator
@inline
export function endsAtSOf(record: usize): u32 {
  return load<u32>(record + RECORD_ENDS_AT_AT);
}

// @ts-ignore: decorator
@inline
export function setEndsAtS(record: usize, endsAtS: u32): void {
  store<u32>(record + RECORD_ENDS_AT_AT, endsAtS);
}

/** The plan in force: the token's until the control plane answers another. */
// @ts-ignore: decorator
@inline
export function recordPlanIdOf(record: usize): u32 {
  return load<u16>(record + RECORD_PLAN_ID_AT);
}

// @ts-ignore: decorator
@inline
export function setRecordPlanId(record: usize, planId: u32): void {
  store<u16>(record + RECORD_PLAN_ID_AT, planId);
}

/** RECORD_EMPTY, RECORD_LIVE, RECORD_ENDED, or RECORD_ANNEX of what is no record. */
// @ts-ignore: decorator
@inline
export function stateOf(record: usize): u8 {
  return load<u8>(record + RECORD_STATE_AT);
}

// @ts-ignore: decorator
@inline
export function setState(record: usize, state: u8): void {
  store<u8>(record + RECORD_STATE_AT, state);
}

// @ts-ignore: decorator
@inline
export function flagsOf(record: usize): u8 {
  return load<u8>(record + RECORD_FLAGS_AT);
}

// @ts-ignore: decorator
@inline
export function setFlags(record: usize, flags: u8): void {
  store<u8>(record + RECORD_FLAGS_AT, flags);
}

/** The last rev that the control plane has stored. */
// @ts-ignore: decorator
@inline
export function ackedRevOf(record: usize): u32 {
  return load<u32>(record + RECORD_ACKED_REV_AT);
}

// @ts-ignore: decorator
@inline
export function setAckedRev(record: usize, rev: u32): void {
  store<u32>(record + RECORD_ACKED_REV_AT, rev);
}

/** The level's address. */
// @ts-ignore: decorator
@inline
export function levelAtOf(record: usize): usize {
  return record + RECORD_LEVEL_AT;
}

/** Its address: what the level has left over of a picotoken (bucket.ts). */
// @ts-ignore: decorator
@inline
export function remainderAtOf(record: usize): usize {
  return record + RECORD_REMAINDER_AT;
}

/** The slot of its annex and one more, as the record says it (annex.ts); 0: it has none. */
// @ts-ignore: decorator
@inline
export function annexNumberOf(record: usize): u32 {
  return load<u8>(record + RECORD_ANNEX_AT);
}

// @ts-ignore: decorator
@inline
export function setAnnexNumber(record: usize, number: u32): void {
  store<u8>(record + RECORD_ANNEX_AT, <u8>number);
}

// A slot is the number of a record, or of an annex, in its set.

// @ts-ignore: decorator
@inline
export function recordAt(set: usize, slot: u32): usize {
  return set + slot * RECORD_BYTES;
}

// @ts-ignore: decorator
@inline
export function hasFlag(record: usize, flag: u8): bool {
  return (flagsOf(record) & flag) != 0;
}

export function setFlag(record: usize, flag: u8): void {
  setFlags(record, flagsOf(record) | flag);
}

export function clearFlag(record: usize, flag: u8): void {
  setFlags(record, flagsOf(record) & ~flag);
}

// @ts-ignore: decorator
@inline
export function isEmpty(record: usize): bool {
  return stateOf(record) == RECORD_EMPTY;
}

/** Whether a record stands in the slot, be it live or ended: not an annex, which has its state at the same offset. */
// @ts-ignore: decorator
@inline
export function isRecord(record: usize): bool {
  const state = stateOf(record);
  return state == RECORD_LIVE || state == RECORD_ENDED;
}

/** Not revoked or removed; it may still be past its end. */
// @ts-ignore: decorator
@inline
export function isLive(record: usize): bool {
  return stateOf(record) == RECORD_LIVE;
}

// @ts-ignore: decorator
@inline
export function isProvisional(record: usize): bool {
  return hasFlag(record, FLAG_PROVISIONAL);
}

/**
 * The end itself is past: a session of lifetime 0 never lives. Multiplied, since every request asks, and a division
 * costs more.
 */
// @ts-ignore: decorator
@inline
export function isPastEnd(record: usize, nowUs: u64): bool {
  return nowUs >= <u64>endsAtSOf(record) * 1000000;
}

/** Counts what a request spent, as of the moment up to which the levels are refilled. */
export function noteSpent(record: usize, cost: u32, nowUs: u64): void {
  noteConsumed(record, cost);
  // A clock read before another worker's write may lie before it: time in the table never goes back.
  if (nowUs > refilledAtUsOf(record)) setRefilledAtUs(record, nowUs);
}

/** Counts what a request spent from levels that stay as they are. */
export function noteConsumed(record: usize, cost: u32): void {
  setRev(record, revOf(record) + 1);
  setConsumed(record, consumedOf(record) + cost);
}

export function clearRecord(record: usize): void {
  memory.fill(record, 0, RECORD_BYTES);
}
