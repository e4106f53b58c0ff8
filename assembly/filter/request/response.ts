// The response side: the limit headers of a request that was let through.
import { RESPONSE_HEADERS_NONE, UPSTREAM_HEADERS_KEEP } from "../../domain/policy/model";
import { startPairs } from "../../memory/header-pairs";
import { HEADERS_OMITTED, count } from "../vm/counters";
import { addLimitHeaders, hasLimitHeaders, replaceLimitHeaders } from "./limit-headers";
import { newestSlot, rootInSlot } from "../state/roots";
import { NO_PLAN, levelsOfNote, noteOf } from "./streams";

/**
 * Says what was noted of the bucket, in place of limit headers of the service's own unless the policy keeps those. A stream whose note was overwritten by a newer one's goes without, and so does one
 * that outlived two policies; both are counted.
 */
export function addResponseHeaders(contextId: u32): void {
  const note = noteOf(contextId);
  if (note == null) {
    const newest = rootInSlot(newestSlot());
    if (newest != null && newest.epoch.policy.responseHeaders != RESPONSE_HEADERS_NONE) count(HEADERS_OMITTED);
    return;
  }
  const planIndex = note.planIndex;
  const root = rootInSlot(note.rootSlot);
  if (root == null || planIndex == NO_PLAN) return;
  // Once, however many responses the stream has.
  note.planIndex = NO_PLAN;
  const epoch = root.epochNumbered(note.epoch);
  if (epoch == null) {
    count(HEADERS_OMITTED);
    return;
  }
  const policy = epoch.policy;
  const form = policy.responseHeaders;
  if (policy.upstreamHeaders == UPSTREAM_HEADERS_KEEP && hasLimitHeaders(form)) return;
  startPairs();
  addLimitHeaders(epoch, planIndex, note.limit, note.limitCosts, note.levelPico, levelsOfNote(contextId));
  replaceLimitHeaders(form);
}
