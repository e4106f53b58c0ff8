// Another worker that is faster: right before a worker's write of a key, it writes the same bytes there.
import type { Edge } from "./edge.js";
import type { HostCall } from "../host/host-calls.js";

/** After so many lost writes in a row the filter gives up. */
export const MAX_TRIES = 32;

/**
 * Makes a worker lose writes of the keys that match: the first `times` after `first` that it does not lose. Returns how
 * many writes of them it has made.
 */
export function loseWrites(edge: Edge, isKey: (key: string) => boolean, times: number, first = 0): () => number {
  const worker = edge.worker(0);
  const { sharedData } = edge.host;
  let writes = 0;
  const isWrite = (call: HostCall): boolean =>
    call.vm === worker && call.name === "proxy_set_shared_data" && isKey(call.key);
  edge.host.hooks.each("before", isWrite, ({ key }) => {
    writes += 1;
    const lost = writes > first && writes <= first + times;
    if (lost) sharedData.set(key, sharedData.get(key)?.value ?? new Uint8Array(), 0);
  });
  return () => writes;
}
