// How a request leaves the filter, other than by its callback's return: it is resumed, or answered here.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";

const REQUEST: i32 = 0;

/** Lets a paused request go on; `enterStream` (stream.ts) first. */
export function resumeRequest(): void {
  abi.proxy_continue_stream(REQUEST);
}

/**
 * Answers the request in place of the upstream.
 * @param details the response code details, for access logs
 * @param pairs header pairs (memory/header-pairs.ts)
 * @param grpcStatus the status for a gRPC client; HTTP clients do not see it
 */
export function sendLocalReply(
  status: u32,
  details: usize,
  detailsBytes: u32,
  body: usize,
  bodyBytes: u32,
  pairs: usize,
  pairsBytes: u32,
  grpcStatus: u32,
): void {
  abi.proxy_send_local_response(status, details, detailsBytes, body, bodyBytes, pairs, pairsBytes, grpcStatus);
}
