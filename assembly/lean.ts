// The filter with the fewest callbacks: a request enters the guest once (docs/decisions/0029-a-lean-build.md). It adds no
// limit headers to admitted requests, ends no open stream with its session, and wants one configuration in a VM. All else
// is as in index.ts.
import { configureRoot } from "./filter/configure";
import { dropSilentRoots } from "./filter/silent-roots";
import { apply } from "./filter/request/apply";
import { decide } from "./filter/request/decide";
import { newRequest } from "./filter/request/request";
import { newestSlot } from "./filter/state/roots";
import { isExtraTick, tick } from "./filter/tick";
import { BUILD_LEAN } from "./filter/vm/build-kind";

export {
  proxy_abi_version_0_2_1,
  proxy_on_http_call_response,
  proxy_on_memory_allocate,
  proxy_on_vm_start,
} from "./index";

export function proxy_on_configure(rootId: u32, configurationBytes: u32): u32 {
  const served = configureRoot(rootId, configurationBytes, BUILD_LEAN);
  __collect();
  return served ? 1 : 0;
}

export function proxy_on_request_headers(contextId: u32, _headers: u32, _endOfStream: u32): u32 {
  const request = newRequest(newestSlot(), contextId);
  return apply(request, decide(request));
}

export function proxy_on_tick(rootId: u32): void {
  if (!isExtraTick(rootId)) dropSilentRoots(rootId);
  if (tick(rootId)) __collect();
}
