// The response side: the limit headers of a request that was let through.
import { RESPONSE_HEADERS_NONE } from "../domain/policy/model";
import { addResponseHeader } from "../host/headers";
import { pairAt, pairCount, startPairs } from "../memory/header-pairs";
import { HEADERS_OMITTED } from "./counters";
import { addLimitHeaders } from "./limit-headers";
import { newestSlot, rootInSlot } from "./roots";
import { NO_PLAN, noteLevel, notePlan, noteRoot, takeNote } from "./streams";

/** Adds what was noted of the bucket. A stream whose note was overwritten by a newer one's goes without, counted. */
export function addResponseHeaders(contextId: u32): void {
  if (!takeNote(contextId)) {
    const newest = rootInSlot(newestSlot());
    if (newest != null && newest.policy.responseHeaders != RESPONSE_HEADERS_NONE)
      newest.counters.count(HEADERS_OMITTED);
    return;
  }
  const root = rootInSlot(noteRoot());
  if (root == null || notePlan() == NO_PLAN) return;
  startPairs();
  addLimitHeaders(root, notePlan(), noteLevel());
  const count = pairCount();
  for (let i: u32 = 0; i < count; i++) {
    const pair = pairAt(i);
    addResponseHeader(load<u32>(pair), load<u32>(pair, 4), load<u32>(pair, 8), load<u32>(pair, 12));
  }
}
