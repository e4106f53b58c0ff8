// The buckets of one session while a request is decided: refilled, and spent from all together or not at all. Nothing is
// allocated.
import {
  ANNEX_LEVELS_AT,
  ANNEX_REMAINDERS_AT,
  MAX_LIMITS_OF_PLAN,
  MAX_TOKENS,
  RECORD_LEVEL_AT,
  RECORD_REMAINDER_AT,
} from "../../contract";
import { refill, toPico, usUntil } from "../table/bucket";
import { LIMIT_BYTES, LimitEntry, LimitTable } from "./limit-table";

//   0            64             80
//   | 8 levels   | 8 remainders | 8 costs |   limit 0 is the plan's own bucket

const REMAINDERS_AT: u32 = 64;
const COSTS_AT: u32 = 80;
export const BUCKETS_BYTES: u32 = 112;
/** All levels. */
export const ALL_LEVELS_BYTES: u32 = 64;
/** Levels and remainders, which are what is worth keeping. */
export const LEVELS_BYTES: u32 = 80;

const FURTHER_LEVELS: u32 = <u32>MAX_LIMITS_OF_PLAN * 8;
const FURTHER_REMAINDERS: u32 = <u32>MAX_LIMITS_OF_PLAN * 2;

/** Stands as a cost where the request does not spend from the limit. */
export const NOT_SPENT: u32 = 0xffffffff;
/** Stands as a limit's number where none denies. */
export const NO_LIMIT: u32 = 0xffffffff;

// @ts-ignore: decorator
@inline
export function levelOf(buckets: usize, limit: u32): i64 {
  return load<i64>(buckets + (limit << 3));
}

/** A full bucket has no remainder, as `refill` leaves it. */
export function setLevelOf(buckets: usize, limit: u32, level: i64, isFull: bool): void {
  store<i64>(buckets + (limit << 3), level);
  if (isFull) store<u16>(buckets + (limit << 1), 0, REMAINDERS_AT);
}

// @ts-ignore: decorator
@inline
export function costOf(buckets: usize, limit: u32): u32 {
  return load<u32>(buckets + (limit << 2), COSTS_AT);
}

/**
 * What a request spends from each limit of a plan.
 * @param cost its route's
 * @param named what its route says of limits by name: their number, then name and cost of each, by name; see
 *   RouteTable.limitsOf
 */
export function takeCosts(buckets: usize, table: LimitTable, planIndex: u32, cost: u32, named: usize): void {
  store<u32>(buckets, cost, COSTS_AT);
  let left = load<u32>(named);
  let next = named + 4;
  const further = table.furtherOf(planIndex);
  let entry = changetype<usize>(table.limitOf(planIndex, 0));
  for (let limit: u32 = 1; limit <= further; limit++) {
    entry += LIMIT_BYTES;
    const nameId = changetype<LimitEntry>(entry).nameId;
    while (left != 0 && load<u32>(next) < nameId) {
      next += 8;
      left--;
    }
    let own = changetype<LimitEntry>(entry).applies != 0 ? cost : NOT_SPENT;
    if (left != 0 && load<u32>(next) == nameId) own = load<u32>(next, 4);
    store<u32>(buckets + (limit << 2), own, COSTS_AT);
  }
}

/** Takes the levels of a record and its annex, as they stand there. */
export function takeLevels(buckets: usize, record: usize, annex: usize): void {
  store<i64>(buckets, load<i64>(record, RECORD_LEVEL_AT));
  store<u16>(buckets, load<u16>(record, RECORD_REMAINDER_AT), REMAINDERS_AT);
  memory.copy(buckets + 8, annex + ANNEX_LEVELS_AT, FURTHER_LEVELS);
  memory.copy(buckets + REMAINDERS_AT + 2, annex + ANNEX_REMAINDERS_AT, FURTHER_REMAINDERS);
}

/** Puts the levels back. */
export function putLevels(buckets: usize, record: usize, annex: usize): void {
  store<i64>(record, load<i64>(buckets), RECORD_LEVEL_AT);
  store<u16>(record, load<u16>(buckets, REMAINDERS_AT), RECORD_REMAINDER_AT);
  memory.copy(annex + ANNEX_LEVELS_AT, buckets + 8, FURTHER_LEVELS);
  memory.copy(annex + ANNEX_REMAINDERS_AT, buckets + REMAINDERS_AT + 2, FURTHER_REMAINDERS);
}

/** Refills all buckets, also those that the request does not spend from: one `refilledAt` is kept for all of them. */
export function refillAll(buckets: usize, table: LimitTable, planIndex: u32, elapsedUs: u64): void {
  const further = table.furtherOf(planIndex);
  let at = changetype<usize>(table.limitOf(planIndex, 0));
  for (let limit: u32 = 0; limit <= further; limit++) {
    const entry = changetype<LimitEntry>(at);
    const remainderAt = buckets + REMAINDERS_AT + (limit << 1);
    refill(buckets + (limit << 3), remainderAt, elapsedUs, entry.ratePico, entry.rateUs, entry.capacity);
    at += LIMIT_BYTES;
  }
}

/** The limit that has less than the request's cost; of several, the one for which it has to wait the longest. Or NO_LIMIT. */
export function denyingLimit(buckets: usize, table: LimitTable, planIndex: u32): u32 {
  const further = table.furtherOf(planIndex);
  let found = NO_LIMIT;
  let foundUs: u64 = 0;
  for (let limit: u32 = 0; limit <= further; limit++) {
    const cost = costOf(buckets, limit);
    // What costs nothing is never limited.
    if (cost == 0 || cost == NOT_SPENT || levelOf(buckets, limit) >= toPico(cost)) continue;
    const waitUs = waitOf(buckets, table.limitOf(planIndex, limit), limit);
    if (found != NO_LIMIT && waitUs <= foundUs) continue;
    found = limit;
    foundUs = waitUs;
  }
  return found;
}

/** µs until a limit that denies has the request's cost. */
export function waitOf(buckets: usize, entry: LimitEntry, limit: u32): u64 {
  const remainder = load<u16>(buckets + (limit << 1), REMAINDERS_AT);
  const cost = toPico(costOf(buckets, limit));
  return usUntil(levelOf(buckets, limit), remainder, cost, entry.ratePico, entry.rateUs);
}

/** Spends from each limit that the request spends from. None may deny. */
export function spendAll(buckets: usize, table: LimitTable, planIndex: u32): void {
  const further = table.furtherOf(planIndex);
  for (let limit: u32 = 0; limit <= further; limit++) {
    const cost = costOf(buckets, limit);
    if (cost == NOT_SPENT) continue;
    store<i64>(buckets + (limit << 3), levelOf(buckets, limit) - toPico(cost));
  }
}

/**
 * Once a request was paid for: the limit that has room for the fewest more such requests, of equal ones the first. The plan's
 * own bucket where the request cost nothing.
 */
export function tightestLimit(buckets: usize, table: LimitTable, planIndex: u32): u32 {
  const further = table.furtherOf(planIndex);
  let found = NO_LIMIT;
  let fewest: u64 = 0;
  for (let limit: u32 = 0; limit <= further; limit++) {
    const cost = costOf(buckets, limit);
    if (cost == 0 || cost == NOT_SPENT) continue;
    const level = levelOf(buckets, limit);
    // Whether as many fit here as in the one that was found. Multiplied, since a division costs more; what is more than any
    // bucket holds fits in none.
    const tokens = fewest * cost;
    if (found != NO_LIMIT && tokens <= MAX_TOKENS && level >= toPico(<u32>tokens)) continue;
    found = limit;
    fewest = level / toPico(cost);
  }
  return found == NO_LIMIT ? 0 : found;
}
