// What every small filter here needs: room for the host's bytes, and the few host calls they make, by static buffers.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import "./abort";

const ROOM_BYTES: usize = 65536;
const room = memory.data(65536);
const out = memory.data(16);
let used: usize = 0;
let roomLeft = true;
let callsWhileAllocating = false;

export function setRoomLeft(left: bool): void {
  roomLeft = left;
}

export function callWhileAllocating(): void {
  callsWhileAllocating = true;
}

export function freeRoom(): void {
  used = 0;
}

export function allocate(size: usize): usize {
  if (callsWhileAllocating) abi.proxy_set_tick_period_milliseconds(1);
  if (!roomLeft || used + size > ROOM_BYTES) return 0;
  const at = room + used;
  used += size;
  return at;
}

/** Where the last value that the host gave lies, and how long it is. */
export function valueAt(): usize {
  return load<usize>(out);
}
function valueLength(): usize {
  return load<usize>(out, 4);
}
export function valueCas(): u32 {
  return load<u32>(out, 8);
}

export function getShared(key: usize, length: usize): u32 {
  store<u64>(out, 0);
  return abi.proxy_get_shared_data(key, length, out, out + 4, out + 8);
}

export function getHeader(map: i32, name: string): u32 {
  const bytes = String.UTF8.encode(name);
  store<u64>(out, 0);
  return abi.proxy_get_header_map_value(map, changetype<usize>(bytes), bytes.byteLength, out, out + 4);
}

export function addHeader(map: i32, name: string, value: string): u32 {
  const key = String.UTF8.encode(name);
  const text = String.UTF8.encode(value);
  const keyAt = changetype<usize>(key);
  return abi.proxy_add_header_map_value(map, keyAt, key.byteLength, changetype<usize>(text), text.byteLength);
}

export function valueText(): string {
  return String.UTF8.decodeUnsafe(valueAt(), valueLength());
}

export function log(message: string): void {
  const bytes = String.UTF8.encode(message);
  abi.proxy_log(2, changetype<usize>(bytes), bytes.byteLength);
}

export function reply(status: u32, body: string): void {
  const bytes = String.UTF8.encode(body);
  abi.proxy_send_local_response(status, 0, 0, changetype<usize>(bytes), bytes.byteLength, 0, 0, -1);
}
