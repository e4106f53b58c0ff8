// Finds the end of a root where the host does not report it (lean.ts): a root without ticks, while others tick, is gone.
// A root that lives ticks, also one that was replaced and waits for its last stream.
import { NO_POLICY_HOLD_MS, TICK_MS } from "../contract";
import { MAX_ASKS } from "./request/admit";
import { dropRoot } from "./configure";
import { Root, rootInSlot, slotCount, slotOfRoot } from "./state/roots";

/** On top of what a request can wait at most: for ticks that come late. */
const MARGIN_MS: u32 = 1000;

/** On the tick of a root: drops those that have been silent for longer than any request can wait under them. */
export function dropSilentRoots(tickingId: u32): void {
  const ticking = rootInSlot(slotOfRoot(tickingId));
  if (ticking == null) return;
  ticking.missedTicks = 0;
  for (let slot: u32 = 0; slot < slotCount(); slot++) {
    const root = rootInSlot(slot);
    if (root != null && root != ticking && ++root.missedTicks > allowedMisses(root)) dropRoot(root.id);
  }
}

/** Counted, not timed: after a pause of the whole process all roots tick in turn. Each of the others counts. */
function allowedMisses(root: Root): u32 {
  // Each time a request asks, it may be queued for as long as its call may take then.
  const longestMs = max(MAX_ASKS * 2 * root.epoch.policy.acquireTimeoutMs, NO_POLICY_HOLD_MS);
  return ((longestMs + MARGIN_MS) / TICK_MS) * slotCount();
}
