// Streams: what a callback returns of one, and which one the calls that follow speak of.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { OK } from "./status";

/** What a header callback returns. */
export const CONTINUE: u32 = 0;
export const PAUSE: u32 = 1;

/** Makes the calls that follow speak of this stream. False: the stream is gone (its client left). */
export function enterStream(contextId: u32): bool {
  return abi.proxy_set_effective_context(contextId) == OK;
}

/** Makes the calls that follow speak of this root context: a call to a cluster is then its own. False: it is gone. */
export function enterRoot(rootId: u32): bool {
  return abi.proxy_set_effective_context(rootId) == OK;
}
