// What Envoy calls: the Proxy-Wasm 0.2.1 callbacks that Sluice uses. No others are exported, since Envoy enters each
// one for every stream (lean.ts has the fewest). Start reading at proxy_on_request_headers.
import { finishCall } from "./filter/answer";
import { configureRoot, dropRoot } from "./filter/configure";
import { apply } from "./filter/request/apply";
import { decide } from "./filter/request/decide";
import { newRequest } from "./filter/request/request";
import { addResponseHeaders } from "./filter/request/response";
import { openStreamOf, rootSlotOfStream } from "./filter/request/streams";
import { forgetOpenStream } from "./filter/state/open-streams";
import { tick } from "./filter/tick";
import { BUILD_FULL } from "./filter/vm/build-kind";
import { allocateForHost } from "./memory/arena";

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: u32): usize {
  return allocateForHost(size);
}

export function proxy_on_vm_start(_rootId: u32, _configurationBytes: u32): u32 {
  return 1;
}

export function proxy_on_configure(rootId: u32, configurationBytes: u32): u32 {
  const served = configureRoot(rootId, configurationBytes, BUILD_FULL);
  __collect();
  return served ? 1 : 0;
}

export function proxy_on_context_create(contextId: u32, parentId: u32): void {
  if (parentId != 0) openStreamOf(contextId, parentId);
}

export function proxy_on_request_headers(contextId: u32, _headers: u32, _endOfStream: u32): u32 {
  const request = newRequest(rootSlotOfStream(contextId), contextId);
  return apply(request, decide(request));
}

export function proxy_on_response_headers(contextId: u32, _headers: u32, _endOfStream: u32): u32 {
  addResponseHeaders(contextId);
  return 0;
}

export function proxy_on_http_call_response(
  rootId: u32,
  callId: u32,
  _headers: u32,
  bodyBytes: u32,
  _trailers: u32,
): void {
  finishCall(rootId, callId, bodyBytes);
  __collect();
}

export function proxy_on_tick(rootId: u32): void {
  if (tick(rootId)) __collect();
}

export function proxy_on_delete(contextId: u32): void {
  if (!forgetOpenStream(contextId)) dropRoot(contextId);
}
