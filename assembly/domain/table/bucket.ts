// A token bucket in whole picotokens: refill and spending without a rounding (docs/session-table.md, "Exact refill").
//
// A rate is P ÷ Q picotokens a µs, reduced: P `ratePico`, Q `rateUs`. What a gain leaves over of a picotoken is a remainder
// of Q-ths, kept beside the level. Where Q is 1, as for every rate in tokens a second, nothing is left over.
import { PICO_PER_MICROTOKEN, PICO_PER_TOKEN } from "../../contract";

/** In a second a bucket gains rate × 10⁶ picotokens. */
const US_PER_SECOND: u64 = 1000000;
/** Times the largest P, 9 × 10¹², and once more that, is below 2^64. */
const FITS_IN_U64: u64 = 1000000;

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
 * The level after `elapsedUs` at `ratePico` picotokens a µs: level + rate × elapsed, at most `capacity`. Nothing is
 * rounded. A level above the capacity (a plan that became smaller) is clamped.
 */
export function refilledLevel(levelPico: i64, elapsedUs: u64, ratePico: u64, capacity: i64): i64 {
  if (levelPico >= capacity) return capacity;
  if (ratePico == 0) return levelPico;
  // Capacity less a debt is up to 1.8e19: beyond an i64, within a u64.
  const room = <u64>capacity - <u64>levelPico;
  // Compared before multiplied: at most room / rate µs, the product is at most the room.
  return elapsedUs > room / ratePico ? capacity : levelPico + <i64>(elapsedUs * ratePico);
}

/**
 * Refills a bucket where it lies: its level, an i64, and its remainder, a u16. A full one has no remainder; one that is not
 * below `rateUs` is of another rate, and counts as none.
 * @returns the new level
 */
export function refill(
  levelAt: usize,
  remainderAt: usize,
  elapsedUs: u64,
  ratePico: u64,
  rateUs: u32,
  capacity: i64,
): i64 {
  const levelPico = load<i64>(levelAt);
  if (rateUs == 1) {
    const level = refilledLevel(levelPico, elapsedUs, ratePico, capacity);
    store<i64>(levelAt, level);
    return level;
  }
  if (levelPico >= capacity) return fill(levelAt, remainderAt, capacity);
  const room = <u64>capacity - <u64>levelPico;
  const wholes = elapsedUs / rateUs;
  // Compared before multiplied, as above, unless the product fits in any case: that saves most requests a division. What is
  // left over is below P × Q, which is below 2^59.
  if (wholes >= FITS_IN_U64 && wholes > room / ratePico) return fill(levelAt, remainderAt, capacity);
  const held = load<u16>(remainderAt);
  const left = (elapsedUs - wholes * rateUs) * ratePico + (held < rateUs ? held : 0);
  const more = left / rateUs;
  const gain = wholes * ratePico + more;
  if (gain >= room) return fill(levelAt, remainderAt, capacity);
  const level = levelPico + <i64>gain;
  store<i64>(levelAt, level);
  store<u16>(remainderAt, <u16>(left - more * rateUs));
  return level;
}

function fill(levelAt: usize, remainderAt: usize, capacity: i64): i64 {
  store<i64>(levelAt, capacity);
  store<u16>(remainderAt, 0);
  return capacity;
}

/** Whole tokens that can be spent; 0 while it owes. */
export function wholeTokens(levelPico: i64): u32 {
  return levelPico > 0 ? <u32>(levelPico / PICO_PER_TOKEN) : 0;
}

/**
 * Whole seconds, rounded up, until the level reaches `targetPico`; 0 if it has, -1 if it never will. A remainder is left
 * out: it is worth less than a picotoken.
 */
export function secondsUntil(levelPico: i64, targetPico: i64, ratePico: u64, rateUs: u32): i64 {
  if (levelPico >= targetPico) return 0;
  if (ratePico == 0) return -1;
  const lack = <u64>targetPico - <u64>levelPico;
  const perSecond = ratePico * US_PER_SECOND;
  if (rateUs == 1) return <i64>((lack - 1) / perSecond) + 1;
  // lack × Q is beyond a u64: whole seconds × Q come first, then whole µs × Q, then the rest.
  const seconds = lack / perSecond;
  const rest = lack - seconds * perSecond;
  return <i64>(seconds * rateUs + divideUp(usOf(rest, 0, ratePico, rateUs), US_PER_SECOND));
}

/** Whole µs, rounded up, until a level that is below `targetPico` reaches it; the largest if that is never, or beyond. */
export function usUntil(levelPico: i64, remainder: u32, targetPico: i64, ratePico: u64, rateUs: u32): u64 {
  if (ratePico == 0) return u64.MAX_VALUE;
  const lack = <u64>targetPico - <u64>levelPico;
  if (rateUs == 1) return (lack - 1) / ratePico + 1;
  if (lack / ratePico >= u64.MAX_VALUE / rateUs) return u64.MAX_VALUE;
  return usOf(lack, remainder < rateUs ? remainder : 0, ratePico, rateUs);
}

/** The least t with t × P + remainder ≥ gain × Q. */
function usOf(gain: u64, remainder: u64, ratePico: u64, rateUs: u64): u64 {
  const wholes = gain / ratePico;
  const rest = (gain - wholes * ratePico) * rateUs;
  if (rest >= remainder) return wholes * rateUs + divideUp(rest - remainder, ratePico);
  return wholes * rateUs - (remainder - rest) / ratePico;
}

function divideUp(number: u64, divisor: u64): u64 {
  return number == 0 ? 0 : (number - 1) / divisor + 1;
}

/** Rounded down, also below zero: the wire never carries more than there is. */
export function toMicrotokens(levelPico: i64): i64 {
  const micro = levelPico / PICO_PER_MICROTOKEN;
  return micro * PICO_PER_MICROTOKEN > levelPico ? micro - 1 : micro;
}

/** The same, rounded up. */
export function microtokensUp(levelPico: i64): i64 {
  return -toMicrotokens(-levelPico);
}

/** A level off the wire. What an i64 of picotokens cannot hold stays at its bound; the capacity clamps it further. */
export function fromMicrotokens(microtokens: i64): i64 {
  if (microtokens > i64.MAX_VALUE / PICO_PER_MICROTOKEN) return i64.MAX_VALUE;
  if (microtokens < i64.MIN_VALUE / PICO_PER_MICROTOKEN) return i64.MIN_VALUE;
  return microtokens * PICO_PER_MICROTOKEN;
}
