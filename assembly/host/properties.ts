// What Envoy knows of a stream, by path (its attributes).
import * as abi from "@solo-io/proxy-runtime/assembly/imports";

const out: usize = memory.data(8, 4);

/**
 * Reads a property into the arena: see `propertyValue`, `propertyBytes`.
 * @param path its parts with a 0 between them
 * @returns OK, NOT_FOUND, or INTERNAL_FAILURE if it does not fit
 */
export function readProperty(path: usize, pathBytes: u32): u32 {
  store<u64>(out, 0);
  return abi.proxy_get_property(path, pathBytes, out, out + 4);
}

export function propertyValue(): usize {
  return load<u32>(out);
}

export function propertyBytes(): u32 {
  return load<u32>(out, 4);
}
