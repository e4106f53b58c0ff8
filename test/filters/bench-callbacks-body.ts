// The callbacks of the full build, and those of a response's body and trailers.
export {
  proxy_abi_version_0_2_1,
  proxy_on_context_create,
  proxy_on_delete,
  proxy_on_memory_allocate,
  proxy_on_request_headers,
  proxy_on_response_headers,
} from "./bench-callbacks";

export function proxy_on_response_body(_id: u32, _bytes: u32, _end: u32): u32 {
  return 0;
}

export function proxy_on_response_trailers(_id: u32, _trailers: u32): u32 {
  return 0;
}
