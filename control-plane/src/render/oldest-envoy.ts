// Which Envoy Sluice needs. Imports nothing.

/** Of Envoy 1: the oldest that the tests run with. */
export const OLDEST_MINOR = 36;
