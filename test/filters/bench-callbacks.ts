// Does nothing, in the callbacks of the full build: what the further ones are measured against.
import "./abort";

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(_size: u32): usize {
  return 0;
}

export function proxy_on_context_create(_id: u32, _parent: u32): void {}

export function proxy_on_request_headers(_id: u32, _headers: u32, _end: u32): u32 {
  return 0;
}

export function proxy_on_response_headers(_id: u32, _headers: u32, _end: u32): u32 {
  return 0;
}

export function proxy_on_delete(_id: u32): void {}
