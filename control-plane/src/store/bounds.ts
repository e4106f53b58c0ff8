// What every engine keeps, or reads at a time, of what callers could make without end.

/** Keys of creations, at 300 to 400 bytes each. Past it the oldest go before their time. */
export const MAX_CREATION_KEYS = 1_000_000;
/** Each new key of a creation takes along so many that are due, so keys go as fast as they come. */
export const DROPPED_WITH_EACH = 2;
/**
 * Sessions that a user's limit counts: twice what a policy may allow. A user who has more, from before there was a limit,
 * loses them in several steps.
 */
export const MAX_COUNTED = 2000;
