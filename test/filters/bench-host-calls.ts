// Makes one host call ten times a request; which one, the configuration's first character says. What a call costs is
// the difference to a filter that makes none.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { clock_time_get } from "../../assembly/host/wasi";
import "./abort";

const TIMES: u32 = 10;
const REQUEST_HEADERS: i32 = 0;
const PLUGIN_CONFIGURATION: i32 = 7;
const MONOTONIC: u32 = 1;
const VALUE_BYTES: u32 = 1280;

const HEADER: u8 = 104; // h
const PROPERTY: u8 = 112; // p
const ALL_HEADERS: u8 = 97; // a
const MONOTONIC_CLOCK: u8 = 109; // m
const WALL_CLOCK: u8 = 119; // w
const GET: u8 = 103; // g
const GET_ABSENT: u8 = 110; // n
const SET: u8 = 115; // s
const COUNT: u8 = 99; // c
const STATE: u8 = 116; // t

const room = memory.data(65536, 16);
const out = memory.data(12, 8);
const time = memory.data(8, 8);
const metric = memory.data(4, 4);
const value = memory.data(1280, 16);
const key = memory.data<u8>([115, 108, 99, 49, 104, 97, 115, 104, 48, 48, 48, 49]);
const absent = memory.data<u8>([115, 108, 99, 49, 104, 97, 115, 104, 48, 48, 48, 50]);
// "x-session-id", "request\0headers\0x-session-id", "limit", "policy"
const header = memory.data<u8>([120, 45, 115, 101, 115, 115, 105, 111, 110, 45, 105, 100]);
const path = memory.data<u8>([
  114, 101, 113, 117, 101, 115, 116, 0, 104, 101, 97, 100, 101, 114, 115, 0, 120, 45, 115, 101, 115, 115, 105, 111, 110,
  45, 105, 100,
]);
const limit = memory.data<u8>([108, 105, 109, 105, 116]);
const policy = memory.data<u8>([112, 111, 108, 105, 99, 121]);
// "plenty";q=9000000
const text = memory.data<u8>([34, 112, 108, 101, 110, 116, 121, 34, 59, 113, 61, 57, 48, 48, 48, 48, 48, 48]);
let call: u8 = 0;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: u32): usize {
  return size <= 65536 ? room : 0;
}

export function proxy_on_configure(_root: u32, size: u32): u32 {
  abi.proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, size, out, out + 4);
  call = load<u8>(load<u32>(out));
  abi.proxy_define_metric(0, header, 12, metric);
  abi.proxy_set_shared_data(key, 12, value, VALUE_BYTES, 0);
  return 1;
}

export function proxy_on_request_headers(_id: u32, _headers: u32, _end: u32): u32 {
  // Two properties that Envoy's own configuration turns into response headers, once.
  if (call == STATE) {
    abi.proxy_set_property(limit, 5, text, 18);
    abi.proxy_set_property(policy, 6, text, 18);
    return 0;
  }
  for (let i: u32 = 0; i < TIMES; i++) make();
  return 0;
}

function make(): void {
  if (call == HEADER) abi.proxy_get_header_map_value(REQUEST_HEADERS, header, 12, out, out + 4);
  else if (call == PROPERTY) abi.proxy_get_property(path, 28, out, out + 4);
  else if (call == ALL_HEADERS) abi.proxy_get_header_map_pairs(REQUEST_HEADERS, out, out + 4);
  else if (call == MONOTONIC_CLOCK) clock_time_get(MONOTONIC, 1000, time);
  else if (call == WALL_CLOCK) abi.proxy_get_current_time_nanoseconds(time);
  else if (call == GET) abi.proxy_get_shared_data(key, 12, out, out + 4, out + 8);
  else if (call == GET_ABSENT) abi.proxy_get_shared_data(absent, 12, out, out + 4, out + 8);
  else if (call == SET) abi.proxy_set_shared_data(key, 12, value, VALUE_BYTES, 0);
  else if (call == COUNT) abi.proxy_increment_metric(load<u32>(metric), 1);
}
