// The state of a stream that all filters of its chain and the access logs share.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";

/** Envoy keeps it under `wasm.` and the name. */
export function setFilterState(name: usize, nameBytes: u32, value: usize, valueBytes: u32): void {
  abi.proxy_set_property(name, nameBytes, value, valueBytes);
}
