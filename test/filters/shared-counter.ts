// Counts requests in shared data: with compare-and-swap, or, on /blind, by overwriting. The answer carries the count.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { addHeader, allocate, freeRoom, getHeader, getShared, log, valueAt, valueCas, valueText } from "./guest";

const key = memory.data<u8>([99, 110, 116]);
const count = memory.data(4);
const metric = memory.data(4);
const name = memory.data<u8>([116, 114, 105, 101, 115]);

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return allocate(size);
}

export function proxy_on_configure(_root: u32, _size: usize): bool {
  abi.proxy_define_metric(0, name, 5, metric);
  return true;
}

export function proxy_on_request_headers(_id: u32, _headers: u32, _end: bool): u32 {
  freeRoom();
  getHeader(0, ":path");
  const blind = valueText() == "/blind";
  for (let tries = 0; tries < 64; tries++) {
    abi.proxy_increment_metric(load<u32>(metric), 1);
    const found = getShared(key, 3) == 0;
    store<u32>(count, (found ? load<u32>(valueAt()) : 0) + 1);
    const cas: u32 = blind ? 0 : found ? valueCas() : u32.MAX_VALUE;
    if (abi.proxy_set_shared_data(key, 3, count, 4, cas) == 0) return 0;
  }
  log("gave up");
  return 0;
}

export function proxy_on_response_headers(_id: u32, _headers: u32, _end: bool): u32 {
  addHeader(2, "x-count", load<u32>(count).toString());
  return 0;
}
