// The two clocks. Everything in the session table runs on the monotonic one; the wall clock reads a token's age.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { clock_time_get } from "./wasi";

const MONOTONIC: u32 = 1;
const time: usize = memory.data(8, 8);

/** Microseconds since some fixed moment before this process began; never goes back. */
export function monotonicUs(): u64 {
  clock_time_get(MONOTONIC, 1000, time);
  return load<u64>(time) / 1000;
}

/** Milliseconds since 1970; may jump either way. */
export function wallMs(): u64 {
  abi.proxy_get_current_time_nanoseconds(time);
  return load<u64>(time) / 1000000;
}
