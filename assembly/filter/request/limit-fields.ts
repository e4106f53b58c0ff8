// The fields of limit headers (docs/policy.md, "Answers"): their names, and what they say of one bucket.
import { secondsUntil, toPico, wholeTokens } from "../../domain/table/bucket";
import { addressOf, utf8, writeAscii, writeDecimal } from "../../memory/bytes";
import { addPair } from "../../memory/header-pairs";

export const RATE_LIMIT = utf8("ratelimit");
export const RATE_LIMIT_POLICY = utf8("ratelimit-policy");
export const X_LIMIT = utf8("x-ratelimit-limit");
export const X_REMAINING = utf8("x-ratelimit-remaining");
export const X_RESET = utf8("x-ratelimit-reset");
export const RETRY_AFTER = utf8("retry-after");

const remainingValue: usize = memory.data(24);
const resetValue: usize = memory.data(24);
const retryAfterValue: usize = memory.data(24);

/** @param end of the value, which begins at `value` */
export function addWritten(name: ArrayBuffer, value: usize, end: usize): void {
  addPair(addressOf(name), name.byteLength, value, <u32>(end - value));
}

/** `57;t=1` behind an `r=`: whole tokens left, and seconds until one more, if one will come. Returns the end. */
export function writeLeft(at: usize, levelPico: i64, maxTokens: u32, ratePico: u64, rateUs: u32): usize {
  const left = wholeTokens(levelPico);
  const end = writeDecimal(at, left);
  if (left >= maxTokens) return end;
  const oneMoreS = secondsUntil(levelPico, toPico(left + 1), ratePico, rateUs);
  return oneMoreS < 0 ? end : writeDecimal(writeAscii(end, ";t="), oneMoreS);
}

/** Remaining and reset of the older form; reset: seconds until the bucket is full, if it will be. */
export function addXLevel(levelPico: i64, capacityPico: i64, ratePico: u64, rateUs: u32): void {
  addWritten(X_REMAINING, remainingValue, writeDecimal(remainingValue, wholeTokens(levelPico)));
  const fullS = secondsUntil(levelPico, capacityPico, ratePico, rateUs);
  if (fullS >= 0) addWritten(X_RESET, resetValue, writeDecimal(resetValue, fullS));
}

/** Retry-After of a request that a bucket holds too little for: at least 1 s; none if the tokens will never come. */
export function addRetryAfter(levelPico: i64, cost: u32, ratePico: u64, rateUs: u32): void {
  const seconds = secondsUntil(levelPico, toPico(cost), ratePico, rateUs);
  if (seconds < 0) return;
  addWritten(RETRY_AFTER, retryAfterValue, writeDecimal(retryAfterValue, max<i64>(seconds, 1)));
}

/** Retry-After of a request that was refused a lease: whole seconds, at least 1. */
export function addRetryAfterMs(ms: u32): void {
  const seconds = (<u64>ms + 999) / 1000;
  addWritten(RETRY_AFTER, retryAfterValue, writeDecimal(retryAfterValue, max<u64>(seconds, 1)));
}
