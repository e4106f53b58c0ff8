// What looking for a value in a response comes to.

/** There is none. */
export const USAGE_ABSENT: u8 = 0;
export const USAGE_FOUND: u8 = 1;
/** What stands there is no value: it is no number, below 0, or above 10^12 (MAX_MICRO in number-state.ts). */
export const USAGE_INVALID: u8 = 2;
/** It was not found in as much as is read. */
export const USAGE_TOO_LONG: u8 = 3;
