// The names of the limit headers, and how one is noted whose value was written into a static buffer.
import { addressOf, utf8 } from "../../memory/bytes";
import { addPair } from "../../memory/header-pairs";

export const RATE_LIMIT = utf8("ratelimit");
export const RATE_LIMIT_POLICY = utf8("ratelimit-policy");
export const X_LIMIT = utf8("x-ratelimit-limit");
export const X_REMAINING = utf8("x-ratelimit-remaining");
export const X_RESET = utf8("x-ratelimit-reset");
export const RETRY_AFTER = utf8("retry-after");

/** @param end of the value, which begins at `value` */
export function addWritten(name: ArrayBuffer, value: usize, end: usize): void {
  addPair(addressOf(name), name.byteLength, value, <u32>(end - value));
}
