// What becomes of the stream: answer it here, pause it, resume it.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { OK } from "./status";

/** What a header callback returns. */
export const CONTINUE: u32 = 0;
export const PAUSE: u32 = 1;

const REQUEST: i32 = 0;

/** Makes the calls that follow speak of this stream. False: the stream is gone (its client left). */
export function enterStream(contextId: u32): bool {
  return abi.proxy_set_effective_context(contextId) == OK;
}

/** Lets a paused request go on; `enterStream` first. */
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
