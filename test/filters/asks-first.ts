// Pauses each request, asks a cluster, and lets the request go or answers it, as the answer's status says.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { addHeader, allocate, freeRoom, getHeader, log, reply, valueText } from "./guest";

const out = memory.data(16);
const streams = new Map<u32, u32>();
let configuration = "";

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return allocate(size);
}

export function proxy_on_configure(root: u32, size: usize): bool {
  freeRoom();
  abi.proxy_get_buffer_bytes(7, 0, <u32>size, out, out + 4);
  configuration = String.UTF8.decodeUnsafe(load<usize>(out), load<usize>(out, 4));
  abi.proxy_set_tick_period_milliseconds(100);
  log("configure " + root.toString());
  return configuration != "bad";
}

export function proxy_on_tick(root: u32): void {
  log("tick " + root.toString());
}

export function proxy_on_request_headers(id: u32, _headers: u32, _end: bool): u32 {
  freeRoom();
  getHeader(0, ":path");
  const pairs = encode(
    [":method", "POST", ":path", "/ask", ":authority", "asked"],
    valueText() == "/incomplete" ? 1 : 3,
  );
  const at = changetype<usize>(pairs);
  const body = String.UTF8.encode('{"about":"' + valueText() + '"}');
  const cluster = String.UTF8.encode("asked");
  const status = abi.proxy_http_call(changetype<usize>(cluster), cluster.byteLength, at, pairs.byteLength, changetype<usize>(body), body.byteLength, 0, 0, 250, out); // prettier-ignore
  log("call " + status.toString());
  if (status != 0) return 0;
  streams.set(load<u32>(out), id);
  return 1;
}

export function proxy_on_http_call_response(_root: u32, token: u32, headers: u32, size: u32, _trailers: u32): void {
  freeRoom();
  getHeader(6, ":status");
  const status = valueText();
  store<u64>(out, 0);
  abi.proxy_get_buffer_bytes(4, 0, size, out, out + 4);
  log(
    "answer " +
      status +
      " " +
      headers.toString() +
      " " +
      String.UTF8.decodeUnsafe(load<usize>(out), load<usize>(out, 4)),
  );
  const stream = streams.get(token);
  if (status != "418") log("effective " + abi.proxy_set_effective_context(stream).toString());
  if (status == "403") reply(403, "no");
  else log("continue " + abi.proxy_continue_stream(0).toString());
}

export function proxy_on_response_headers(_id: u32, _headers: u32, _end: bool): u32 {
  addHeader(2, "x-configuration", configuration);
  return 0;
}

export function proxy_on_done(id: u32): bool {
  log("done " + id.toString());
  return true;
}

export function proxy_on_delete(id: u32): void {
  log("delete " + id.toString());
}

function encode(texts: string[], count: i32): ArrayBuffer {
  let total = 4;
  for (let i = 0; i < count * 2; i++) total += 5 + texts[i].length;
  const buffer = new ArrayBuffer(total);
  const start = changetype<usize>(buffer);
  store<u32>(start, count);
  let at = start + 4 + count * 8;
  for (let i = 0; i < count * 2; i++) {
    const bytes = String.UTF8.encode(texts[i], true);
    store<u32>(start + 4 + i * 4, bytes.byteLength - 1);
    memory.copy(at, changetype<usize>(bytes), bytes.byteLength);
    at += bytes.byteLength;
  }
  return buffer;
}
