// The response side: the limit headers of a request that was let through.
import { RESPONSE_HEADERS_NONE } from "../../domain/policy/model";
import { addResponseHeader } from "../../host/headers";
import { pairAt, pairCount, startPairs } from "../../memory/header-pairs";
import { HEADERS_OMITTED, count } from "../vm/counters";
import { addLimitHeaders } from "./limit-headers";
import { newestSlot, rootInSlot } from "../state/roots";
import { NO_PLAN, noteEpoch, noteLevel, notePlan, noteRoot, takeNote } from "./streams";

/**
 * Adds what was noted of the bucket. A stream whose note was overwritten by a newer one's goes without, and so does one
 * that outlived two policies; both are counted.
 */
export function addResponseHeaders(contextId: u32): void {
  if (!takeNote(contextId)) {
    const newest = rootInSlot(newestSlot());
    if (newest != null && newest.epoch.policy.responseHeaders != RESPONSE_HEADERS_NONE) count(HEADERS_OMITTED);
    return;
  }
  const root = rootInSlot(noteRoot());
  if (root == null || notePlan() == NO_PLAN) return;
  const epoch = root.epochNumbered(noteEpoch());
  if (epoch == null) {
    count(HEADERS_OMITTED);
    return;
  }
  startPairs();
  addLimitHeaders(epoch, notePlan(), noteLevel());
  const pairs = pairCount();
  for (let i: u32 = 0; i < pairs; i++) {
    const pair = pairAt(i);
    addResponseHeader(load<u32>(pair), load<u32>(pair, 4), load<u32>(pair, 8), load<u32>(pair, 12));
  }
}
