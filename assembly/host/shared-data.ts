// Envoy's shared data: a process-wide map of key to (value, cas). There is no delete and no list.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";

/** As a cas: creates an absent key, and is a mismatch for a present one. (0 would overwrite blindly.) */
export const CAS_ABSENT: u32 = 0xffffffff;

const out: usize = memory.data(12, 4);

/**
 * Reads a key. The value lies in the arena until the next read: see `sharedValue`, `sharedCas`.
 * @returns OK or NOT_FOUND
 */
export function readShared(key: usize, keyBytes: u32): u32 {
  return abi.proxy_get_shared_data(key, keyBytes, out, out + 4, out + 8);
}

// @ts-ignore: decorator
@inline
export function sharedValue(): usize {
  return load<u32>(out);
}

// @ts-ignore: decorator
@inline
export function sharedCas(): u32 {
  return load<u32>(out, 8);
}

export function sharedBytes(): u32 {
  return load<u32>(out, 4);
}

/** Writes a key if its cas is still the given one. Returns OK or CAS_MISMATCH. */
export function writeShared(key: usize, keyBytes: u32, value: usize, valueBytes: u32, cas: u32): u32 {
  return abi.proxy_set_shared_data(key, keyBytes, value, valueBytes, cas);
}
