// A token bucket in whole picotokens: refill and spending without a rounding (docs/session-table.md, "Exact refill").
import { PICO_PER_MICROTOKEN, PICO_PER_TOKEN } from "../../contract";

/** In a second a bucket gains rate × 10⁶ picotokens. */
const US_PER_SECOND: u64 = 1000000;

/** Whole tokens, up to MAX_TOKENS, as picotokens: a capacity, a cost. */
// @ts-ignore: decorator
@inline
export function toPico(tokens: u32): i64 {
  return <i64>tokens * PICO_PER_TOKEN;
}

/** µs since the last refill. A clock read before another worker wrote lies before it: then none have passed. */
// @ts-ignore: decorator
@inline
export function elapsedUsSince(refilledAtUs: u64, nowUs: u64): u64 {
  return nowUs > refilledAtUs ? nowUs - refilledAtUs : 0;
}

/**
 * The level after `elapsedUs` at `rateMicro` microtokens a second: level + rate × elapsed, at most `capacity`.
 * rate × µs are picotokens, so nothing is rounded. A level above the capacity (a plan that became smaller) is clamped.
 */
export function refilledLevel(levelPico: i64, elapsedUs: u64, rateMicro: u64, capacity: i64): i64 {
  if (levelPico >= capacity) return capacity;
  if (rateMicro == 0) return levelPico;
  // Capacity less a debt is up to 1.8e19: beyond an i64, within a u64.
  const room = <u64>capacity - <u64>levelPico;
  // Compared before multiplied: at most room / rate µs, the product is at most the room.
  return elapsedUs > room / rateMicro ? capacity : levelPico + <i64>(elapsedUs * rateMicro);
}

/** Whole tokens that can be spent; 0 while it owes. */
export function wholeTokens(levelPico: i64): u32 {
  return levelPico > 0 ? <u32>(levelPico / PICO_PER_TOKEN) : 0;
}

/** Whole seconds, rounded up, until the level reaches `targetPico`; 0 if it has, -1 if it never will. */
export function secondsUntil(levelPico: i64, targetPico: i64, rateMicro: u64): i64 {
  if (levelPico >= targetPico) return 0;
  if (rateMicro == 0) return -1;
  const lack = <u64>targetPico - <u64>levelPico;
  const perSecond = rateMicro * US_PER_SECOND;
  return <i64>((lack - 1) / perSecond) + 1;
}

/** Rounded down, also below zero: the wire never carries more than there is. */
export function toMicrotokens(levelPico: i64): i64 {
  const micro = levelPico / PICO_PER_MICROTOKEN;
  return micro * PICO_PER_MICROTOKEN > levelPico ? micro - 1 : micro;
}

/** A level off the wire. What an i64 of picotokens cannot hold stays at its bound; the capacity clamps it further. */
export function fromMicrotokens(microtokens: i64): i64 {
  if (microtokens > i64.MAX_VALUE / PICO_PER_MICROTOKEN) return i64.MAX_VALUE;
  if (microtokens < i64.MIN_VALUE / PICO_PER_MICROTOKEN) return i64.MIN_VALUE;
  return microtokens * PICO_PER_MICROTOKEN;
}
