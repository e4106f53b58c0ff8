// Streams: what a callback returns of one, and which one the calls that follow speak of.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { addressOf, utf8 } from "../memory/bytes";
import { OK } from "./status";

const REQUEST: i32 = 0;

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

/** Stands in the stream's own state, which all filters of its chain share. */
const closing = utf8("sluice_closing");
const out: usize = memory.data(8, 4);

/**
 * Ends the stream that was entered, for client and service, once the callback has returned. False: that is under way, by
 * another filter of the chain. Envoy dies of a stream that two filters end at once (docs/envoy-facts.md).
 */
export function closeStream(): bool {
  const name = addressOf(closing);
  const nameBytes = closing.byteLength;
  if (abi.proxy_get_property(name, nameBytes, out, out + 4) == OK) return false;
  abi.proxy_set_property(name, nameBytes, name, nameBytes);
  abi.proxy_close_stream(REQUEST);
  return true;
}
