// Repeatable random numbers for specs: xorshift64* (Marsaglia 2003, Vigna 2016).

let state: u64 = 1;

/** Starts the same sequence again. `seed` is not 0. */
export function seedRandom(seed: u64): void {
  state = seed;
}

export function randomU64(): u64 {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545f4914f6cdd1d;
}

/** 0 to limit − 1. */
export function randomBelow(limit: u64): u64 {
  return randomU64() % limit;
}

/** As often short as long: of every number of bits alike. */
export function randomOfAnySize(): u64 {
  return randomU64() >> randomBelow(64);
}
