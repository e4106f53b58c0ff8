// The bell of a table: which policy the control plane sent last, and what each build of the filter made of it.
//
//   0     8            16     24     28       32         56         80         104        128
//   | log | generation | hash | size | spread | result  | result  | result  | result  |
//
//   result:  0       8              16      20      24
//             | build | since, in µs | state | (4)   |

export const BELL_BYTES: u32 = 128;
const GENERATION_AT: u32 = 8;
const HASH_AT: u32 = 16;
const SIZE_AT: u32 = 24;
const SPREAD_AT: u32 = 28;
const RESULTS_AT: u32 = 32;
const RESULT_BYTES: u32 = 24;
/** Builds in one Envoy at a time: one, and two while the filter's code is replaced. */
const RESULTS: u32 = 4;
const SINCE_AT: u32 = 8;
const STATE_AT: u32 = 16;

/** No VM of this build has tried it yet. */
export const RESULT_NONE: u32 = 0;
/** One VM is trying it. */
export const RESULT_TRYING: u32 = 1;
export const RESULT_OK: u32 = 2;
export const RESULT_REJECTED: u32 = 3;
/** The VM that tried it did not finish. */
export const RESULT_TRAPPED: u32 = 4;

export function bellLog(bell: usize): u64 {
  return load<u64>(bell);
}

export function bellGeneration(bell: usize): u64 {
  return load<u64>(bell, GENERATION_AT);
}

export function bellHash(bell: usize): u64 {
  return load<u64>(bell, HASH_AT);
}

/** Bytes of the policy. */
export function bellSize(bell: usize): u32 {
  return load<u32>(bell, SIZE_AT);
}

/** Over how many ms the workers spread the reports that say that they run it. */
export function bellSpreadMs(bell: usize): u32 {
  return load<u32>(bell, SPREAD_AT);
}

/** Names another policy. Where the bytes are the same the results stay: no VM reads them twice. */
export function renameBell(bell: usize, log: u64, generation: u64, hash: u64, size: u32, spreadMs: u32): void {
  if (bellHash(bell) != hash) memory.fill(bell + RESULTS_AT, 0, RESULTS * RESULT_BYTES);
  store<u64>(bell, log);
  store<u64>(bell, generation, GENERATION_AT);
  store<u64>(bell, hash, HASH_AT);
  store<u32>(bell, size, SIZE_AT);
  store<u32>(bell, spreadMs, SPREAD_AT);
}

/** A build's result for the policy. */
export function resultOf(bell: usize, build: u64): u32 {
  const at = resultAt(bell, build);
  return at == 0 ? RESULT_NONE : load<u32>(at, STATE_AT);
}

/** Since when a build's result stands, µs; 0 where there is none. */
export function resultSinceUs(bell: usize, build: u64): u64 {
  const at = resultAt(bell, build);
  return at == 0 ? 0 : load<u64>(at, SINCE_AT);
}

/** With more builds than there is room for, the result that stands longest makes room. */
export function setResult(bell: usize, build: u64, state: u32, nowUs: u64): void {
  let at = resultAt(bell, build);
  if (at == 0) at = oldestResult(bell);
  store<u64>(at, build);
  store<u64>(at, nowUs, SINCE_AT);
  store<u32>(at, state, STATE_AT);
}

function resultAt(bell: usize, build: u64): usize {
  for (let i: u32 = 0; i < RESULTS; i++) {
    const at = bell + RESULTS_AT + i * RESULT_BYTES;
    if (load<u32>(at, STATE_AT) != RESULT_NONE && load<u64>(at) == build) return at;
  }
  return 0;
}

function oldestResult(bell: usize): usize {
  let oldest: usize = bell + RESULTS_AT;
  for (let i: u32 = 0; i < RESULTS; i++) {
    const at = bell + RESULTS_AT + i * RESULT_BYTES;
    if (load<u32>(at, STATE_AT) == RESULT_NONE) return at;
    if (load<u64>(at, SINCE_AT) < load<u64>(oldest, SINCE_AT)) oldest = at;
  }
  return oldest;
}
