// Reads the token's header and the clock, gets a value as large as a set of the session table, and sets it again. Nothing
// else: what any filter with a bucket in shared data must pay. Another session is another key.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { clock_time_get } from "../../assembly/host/wasi";
import "./abort";

const REQUEST_HEADERS: i32 = 0;
const MONOTONIC: u32 = 1;
const VALUE_BYTES: u32 = 1280;
const CAS_ABSENT: u32 = 0xffffffff;
/** Of the token's text: random characters of the session id. */
const KEY_FROM: u32 = 12;

const room = memory.data(4096, 16);
const out = memory.data(12, 8);
const time = memory.data(8, 8);
const key = memory.data(12, 4);
const fresh = memory.data(1280, 16);
// "x-session-id"
const header = memory.data<u8>([120, 45, 115, 101, 115, 115, 105, 111, 110, 45, 105, 100]);

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: u32): usize {
  return size <= 4096 ? room : 0;
}

export function proxy_on_request_headers(_id: u32, _headers: u32, _end: u32): u32 {
  if (abi.proxy_get_header_map_value(REQUEST_HEADERS, header, 12, out, out + 4) != 0) return 0;
  store<u64>(key, load<u64>(load<u32>(out) + KEY_FROM));
  clock_time_get(MONOTONIC, 1000, time);
  if (abi.proxy_get_shared_data(key, 12, out, out + 4, out + 8) == 0) {
    abi.proxy_set_shared_data(key, 12, load<u32>(out), VALUE_BYTES, load<u32>(out, 8));
  } else {
    abi.proxy_set_shared_data(key, 12, fresh, VALUE_BYTES, CAS_ABSENT);
  }
  return 0;
}
