// Does nothing, in one callback: what it costs to have a filter at all.
import "./abort";

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(_size: u32): usize {
  return 0;
}

export function proxy_on_request_headers(_id: u32, _headers: u32, _end: u32): u32 {
  return 0;
}
