// The two clocks. Everything in the session table runs on the monotonic one; the wall clock reads a token's age.
// Both by WASI: some hosts lack the call of Proxy-Wasm for the second.
import { clock_time_get } from "./wasi";

const WALL: u32 = 0;
const MONOTONIC: u32 = 1;
const time: usize = memory.data(8, 8);

/** Microseconds since some fixed moment before this process began; never goes back. */
export function monotonicUs(): u64 {
  clock_time_get(MONOTONIC, 1000, time);
  return load<u64>(time) / 1000;
}

/** Milliseconds since 1970; may jump either way. */
export function wallMs(): u64 {
  clock_time_get(WALL, 1000000, time);
  return load<u64>(time) / 1000000;
}
