// Adds two headers to each response, whose text is always the same: what any filter must pay that shows a limit.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import "./abort";

const RESPONSE_HEADERS: i32 = 2;
// "ratelimit-policy", and a value of the usual length: "default";q=9000000
const policyName = memory.data<u8>([114, 97, 116, 101, 108, 105, 109, 105, 116, 45, 112, 111, 108, 105, 99, 121]);
const policyValue = memory.data<u8>([
  34, 100, 101, 102, 97, 117, 108, 116, 34, 59, 113, 61, 57, 48, 48, 48, 48, 48, 48,
]);
// "ratelimit": "default";r=8999999
const limitValue = memory.data<u8>([34, 100, 101, 102, 97, 117, 108, 116, 34, 59, 114, 61, 56, 57, 57, 57, 57, 57, 57]);

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(_size: u32): usize {
  return 0;
}

export function proxy_on_response_headers(_id: u32, _headers: u32, _end: u32): u32 {
  abi.proxy_add_header_map_value(RESPONSE_HEADERS, policyName, 16, policyValue, 19);
  abi.proxy_add_header_map_value(RESPONSE_HEADERS, policyName, 9, limitValue, 19);
  return 0;
}
