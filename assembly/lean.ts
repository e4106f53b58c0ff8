// The filter with the fewest callbacks: a request enters the guest once (docs/decisions/0029-a-lean-build.md). It adds no
// limit headers to admitted requests, and wants one configuration in a VM. All else is as in index.ts.
import { configureRoot } from "./filter/configure";
import { dropSilentRoots } from "./filter/silent-roots";
import { decideRequest } from "./filter/request/request";
import { newestSlot } from "./filter/state/roots";
import { tick } from "./filter/tick";

export {
  proxy_abi_version_0_2_1,
  proxy_on_http_call_response,
  proxy_on_memory_allocate,
  proxy_on_vm_start,
} from "./index";

export function proxy_on_configure(rootId: u32, configurationBytes: u32): u32 {
  const served = configureRoot(rootId, configurationBytes, false);
  __collect();
  return served ? 1 : 0;
}

export function proxy_on_request_headers(contextId: u32, _headers: u32, _endOfStream: u32): u32 {
  return decideRequest(newestSlot(), contextId, 0);
}

export function proxy_on_tick(rootId: u32): void {
  dropSilentRoots(rootId);
  if (tick(rootId)) __collect();
}
