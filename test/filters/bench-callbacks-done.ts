// The callbacks of the full build, and that of a stream's end.
export {
  proxy_abi_version_0_2_1,
  proxy_on_context_create,
  proxy_on_delete,
  proxy_on_memory_allocate,
  proxy_on_request_headers,
  proxy_on_response_headers,
} from "./bench-callbacks";

export function proxy_on_done(_id: u32): u32 {
  return 1;
}
