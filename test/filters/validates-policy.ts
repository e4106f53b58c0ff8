// Rejects a configuration that says so, and answers every request with the configuration that it runs.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { allocate, freeRoom, reply } from "./guest";

const PLUGIN_CONFIGURATION: i32 = 7;
const place = memory.data(8);
let configuration = "";

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return allocate(size);
}

export function proxy_on_configure(_root: u32, size: u32): bool {
  freeRoom();
  if (abi.proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, size, place, place + 4) != 0) return false;
  const text = String.UTF8.decodeUnsafe(load<usize>(place), load<usize>(place, 4));
  if (text.includes('"reject":true')) return false;
  configuration = text;
  return true;
}

export function proxy_on_request_headers(_id: u32, _headers: u32, _end: bool): u32 {
  reply(200, configuration);
  return 1;
}
