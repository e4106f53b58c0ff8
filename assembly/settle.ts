// The filter that also reads responses, to learn what their requests really cost: two callbacks more, which Envoy enters
// for every stream (docs/decisions/0071-what-a-request-really-cost.md). All else is as in index.ts.
import { configureRoot } from "./filter/configure";
import { endUsage, readUsageBody, readUsageHead, readUsageTrailers } from "./filter/request/read-usage";
import { BUILD_SETTLE } from "./filter/vm/build-kind";
import { proxy_on_delete as deleteContext, proxy_on_response_headers as answerHeaders } from "./index";

export {
  proxy_abi_version_0_2_1,
  proxy_on_context_create,
  proxy_on_http_call_response,
  proxy_on_memory_allocate,
  proxy_on_request_headers,
  proxy_on_tick,
  proxy_on_vm_start,
} from "./index";

export function proxy_on_configure(rootId: u32, configurationBytes: u32): u32 {
  const served = configureRoot(rootId, configurationBytes, BUILD_SETTLE);
  __collect();
  return served ? 1 : 0;
}

export function proxy_on_response_headers(contextId: u32, headers: u32, endOfStream: u32): u32 {
  readUsageHead(contextId, endOfStream != 0);
  return answerHeaders(contextId, headers, endOfStream);
}

export function proxy_on_response_body(contextId: u32, bodyBytes: u32, endOfStream: u32): u32 {
  readUsageBody(contextId, bodyBytes, endOfStream != 0);
  return 0;
}

export function proxy_on_response_trailers(contextId: u32, _trailers: u32): u32 {
  readUsageTrailers(contextId);
  return 0;
}

export function proxy_on_delete(contextId: u32): void {
  endUsage(contextId);
  deleteContext(contextId);
}
