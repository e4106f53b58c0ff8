// The annex of a record whose plan is of scope fleet: until when its levels may be spent, and which ask is under way.
// Levels, the record's own among them, are what is left of a lease; they gain nothing here.
import {
  ANNEX_ASKED_AT_AT,
  ANNEX_ASK_AT,
  ANNEX_LEASE_END_AT,
  ANNEX_PENDING_AT,
  ANNEX_REFUSED_BUCKET_AT,
  ANNEX_REFUSED_COST_AT,
  ANNEX_REMAINDERS_AT,
  ANNEX_RETRY_AT_AT,
  ANNEX_STATE_AT,
  LEASE_RETRY_MS,
  LEASE_TTL_MS,
  MAX_LIMITS_OF_PLAN,
} from "../../contract";
import { annexLevelsOf } from "./annex";
import { levelPicoOf, refilledAtUsOf, setLevelPico, setRefilledAtUs } from "./record";

//   56    60         64         66             68               69        70          76
//   | ask | retry at | asked at | refused cost | refused bucket | pending | (as ever) | lease end |
//
// Times are ms of the monotonic clock, modular. A lease that lives was taken less than LEASE_TTL_MS ago, and taking one moves
// `refilledAt`: so no end of 49 days ago is taken for one that is ahead (lives).

/** For so long the answer to an ask is waited for; then another one may be marked. */
export const LEASE_ASK_MS: u32 = 1000;
const MAX_COST: u32 = 0xffff;
const MAX_PENDING: u32 = 255;
/** A refusal counts no longer than this: 7 days. */
const MAX_RETRY_MS: u64 = 604800000;
/** 21 days: of a record that was not spent from for longer, a refusal may be one of 49 days ago. */
const REFUSAL_KNOWN_US: u64 = 1814400000000;
/**
 * So long after an ask its refusal stands without another one, however much later there would be enough by itself: the plan
 * may be another by now, and what a reservation did not need may have come back.
 */
const REFUSAL_STANDS_MS: u32 = 5000;

// @ts-ignore: decorator
@inline
export function leaseMs(nowUs: u64): u32 {
  return <u32>(nowUs / 1000);
}

export function askOf(annex: usize): u32 {
  return load<u32>(annex, ANNEX_ASK_AT);
}

/** How many asks are without an answer that was taken; 255: that many or more. */
export function pendingOf(annex: usize): u32 {
  return load<u8>(annex, ANNEX_PENDING_AT);
}

/** The last ask whose answer was taken. */
export function appliedOf(annex: usize): u32 {
  return askOf(annex) - min(askOf(annex), pendingOf(annex));
}

/** ms, modular. */
export function leaseEndOf(annex: usize): u32 {
  return load<u32>(annex, ANNEX_LEASE_END_AT);
}

/** ms until the lease ends, at most LEASE_TTL_MS; 0: it is over. */
export function leaseLeftMs(record: usize, annex: usize, nowUs: u64): u32 {
  const left = leaseEndOf(annex) - leaseMs(nowUs);
  if (left > LEASE_TTL_MS) return 0;
  const refilledAtUs = refilledAtUsOf(record);
  return nowUs > refilledAtUs && nowUs - refilledAtUs > <u64>LEASE_TTL_MS * 1000 ? 0 : left;
}

/** Whether an ask's answer may still come, whoever waits for it. */
export function isAsking(annex: usize, nowUs: u64): bool {
  return pendingOf(annex) != 0 && askedMsAgo(annex, nowUs) < LEASE_ASK_MS;
}

/** Whether the last ask was a moment ago, as far as that counts: its lease lives. */
export function hasJustAsked(record: usize, annex: usize, nowUs: u64): bool {
  return askedMsAgo(annex, nowUs) < LEASE_RETRY_MS && leaseLeftMs(record, annex, nowUs) != 0;
}

function askedMsAgo(annex: usize, nowUs: u64): u32 {
  return (leaseMs(nowUs) - load<u16>(annex, ANNEX_ASKED_AT_AT)) & 0xffff;
}

/** The bucket that was refused and is not asked for yet; -1: there is none. */
export function refusedBucketOf(record: usize, annex: usize, nowUs: u64): i32 {
  const number = load<u8>(annex, ANNEX_REFUSED_BUCKET_AT);
  if (number == 0 || number > <u8>(MAX_LIMITS_OF_PLAN + 1) || retryInMs(annex, nowUs) == 0) return -1;
  if (askedMsAgo(annex, nowUs) >= REFUSAL_STANDS_MS) return -1;
  const refilledAtUs = refilledAtUsOf(record);
  return nowUs > refilledAtUs && nowUs - refilledAtUs > REFUSAL_KNOWN_US ? -1 : <i32>number - 1;
}

/** What was refused, tokens. */
export function refusedCostOf(annex: usize): u32 {
  return load<u16>(annex, ANNEX_REFUSED_COST_AT);
}

/** ms until what was refused may be asked for; 0: now. */
export function retryInMs(annex: usize, nowUs: u64): u32 {
  const left = load<u32>(annex, ANNEX_RETRY_AT_AT) - leaseMs(nowUs);
  return left <= <u32>MAX_RETRY_MS ? left : 0;
}

/** Notes what an answer refused. @param cost what was asked for, tokens */
export function setRefusal(annex: usize, bucket: u32, cost: u32, retryAfterMs: u64, nowUs: u64): void {
  store<u8>(annex, <u8>(bucket + 1), ANNEX_REFUSED_BUCKET_AT);
  store<u16>(annex, <u16>min(cost, MAX_COST), ANNEX_REFUSED_COST_AT);
  const waitMs = <u32>min(max(retryAfterMs, LEASE_RETRY_MS), MAX_RETRY_MS);
  store<u32>(annex, leaseMs(nowUs) + waitMs, ANNEX_RETRY_AT_AT);
}

export function clearRefusal(annex: usize): void {
  store<u8>(annex, 0, ANNEX_REFUSED_BUCKET_AT);
}

/** Marks the next ask, whose answer then counts alone. Returns its number. */
export function markAsk(annex: usize, nowUs: u64): u32 {
  const ask = askOf(annex) + 1;
  store<u32>(annex, ask, ANNEX_ASK_AT);
  store<u8>(annex, <u8>min(pendingOf(annex) + 1, MAX_PENDING), ANNEX_PENDING_AT);
  noteAsked(annex, nowUs);
  return ask;
}

/** When the last ask was: what it refused stands from then on. */
export function noteAsked(annex: usize, askedAtUs: u64): void {
  store<u16>(annex, <u16>leaseMs(askedAtUs), ANNEX_ASKED_AT_AT);
}

/** The answer to the last ask was taken. */
export function setApplied(annex: usize): void {
  store<u8>(annex, 0, ANNEX_PENDING_AT);
}

/** Another number counts than the last ask's, whose answer was not taken either. The next ask may follow at once. */
export function skipTo(annex: usize, ask: u32, nowUs: u64): void {
  setAsk(annex, ask, appliedOf(annex));
  store<u16>(annex, <u16>(leaseMs(nowUs) - LEASE_ASK_MS), ANNEX_ASKED_AT_AT);
}

/** The lease lives for `ttlMs` from when it was asked for; one that lives longer stays. It was taken at `nowUs`. */
export function extendLease(record: usize, annex: usize, askedAtUs: u64, ttlMs: u32, nowUs: u64): void {
  const end = leaseMs(askedAtUs) + min(ttlMs, LEASE_TTL_MS);
  const left = leaseLeftMs(record, annex, nowUs);
  if (<i32>(end - leaseMs(nowUs)) > <i32>left) store<u32>(annex, end, ANNEX_LEASE_END_AT);
  if (nowUs > refilledAtUsOf(record)) setRefilledAtUs(record, nowUs);
}

/** Where the lease is over, what is left of it is gone: the control plane counts it as spent. A debt stays. */
export function dropOverLease(record: usize, annex: usize, nowUs: u64): void {
  if (leaseLeftMs(record, annex, nowUs) == 0) dropLevels(record, annex);
}

/** The lease is over, and nothing is left of it. */
export function endLease(record: usize, annex: usize, nowUs: u64): void {
  dropLevels(record, annex);
  store<u32>(annex, leaseMs(nowUs), ANNEX_LEASE_END_AT);
}

function dropLevels(record: usize, annex: usize): void {
  if (levelPicoOf(record) > 0) setLevelPico(record, 0);
  const levels = annexLevelsOf(annex);
  for (let limit = 0; limit < MAX_LIMITS_OF_PLAN; limit++) {
    const at = levels + (limit << 3);
    if (load<i64>(at) > 0) store<i64>(at, 0);
  }
}

/** No lease lives, whatever the levels are of. An annex of scope edge has nothing there. */
export function clearLeaseEnd(annex: usize): void {
  store<u32>(annex, 0, ANNEX_LEASE_END_AT);
}

/** No lease, no ask, no refusal; levels stay. An annex of scope edge has its remainders there. */
export function clearLease(annex: usize): void {
  memory.fill(annex + ANNEX_REMAINDERS_AT, 0, ANNEX_STATE_AT - ANNEX_REMAINDERS_AT);
  store<u32>(annex, 0, ANNEX_LEASE_END_AT);
}

/** The last ask's number, and the last whose answer was taken. That of an acquire stands for both. */
export function setAsk(annex: usize, ask: u32, applied: u32): void {
  store<u32>(annex, ask, ANNEX_ASK_AT);
  store<u8>(annex, <u8>min(ask - min(ask, applied), MAX_PENDING), ANNEX_PENDING_AT);
}
