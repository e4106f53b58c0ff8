// HTTP calls from the filter to a cluster.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { NO_PAIRS, NO_PAIRS_BYTES } from "../memory/header-pairs";

const out: usize = memory.data(4, 4);

/**
 * Sends a request. Its answer comes to `proxy_on_http_call_response` with `sentCallId`, a timeout as status 504, a
 * refused connection as 503.
 * @param pairs header pairs with :method, :path and :authority
 * @param timeoutMs above 0, for 0 would be none
 * @returns OK; anything else means that it was not sent and that no callback will come
 */
export function sendCall(
  cluster: usize,
  clusterBytes: u32,
  pairs: usize,
  pairsBytes: u32,
  body: usize,
  bodyBytes: u32,
  timeoutMs: u32,
): u32 {
  return abi.proxy_http_call(
    cluster,
    clusterBytes,
    pairs,
    pairsBytes,
    body,
    bodyBytes,
    NO_PAIRS,
    NO_PAIRS_BYTES,
    timeoutMs,
    out,
  );
}

export function sentCallId(): u32 {
  return load<u32>(out);
}
