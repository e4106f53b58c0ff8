// Does what a filter should not do: one mistake for each path.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { allocate, callWhileAllocating, freeRoom, getHeader, log, setRoomLeft, valueText } from "./guest";

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return allocate(size);
}

export function proxy_on_request_headers(_id: u32, _headers: u32, _end: bool): u32 {
  freeRoom();
  getHeader(0, ":path");
  const path = valueText();
  if (path == "/trap") unreachable();
  if (path == "/recurse") recurse(1);
  if (path == "/no-room") {
    setRoomLeft(false);
    log("get " + getHeader(0, ":path").toString());
    setRoomLeft(true);
  }
  if (path == "/calls-while-allocating") {
    callWhileAllocating();
    getHeader(0, ":path");
  }
  if (path == "/pointer") log("set " + abi.proxy_set_shared_data(0xfffffff0, 64, 0, 0, 0).toString());
  return 0;
}

function recurse(depth: i32): i32 {
  return depth == 0 ? 0 : recurse(depth + 1) + recurse(depth + 2);
}
