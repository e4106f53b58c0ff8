// The end of a policy that another one replaced, where the host does not tell of it (lean.ts).
import { monotonicUs } from "../host/clock";
import { dropRoot } from "./configure";
import { newestSlot, rootInSlot, slotCount } from "./roots";

/** Beyond `acquireTimeout`, after which the host has answered every call: for one that was just on its way. */
const MARGIN_US: u64 = 1000000;

/** Drops every policy but the newest, once no request can wait under it any more. On ticks. */
export function dropReplacedRoots(): void {
  const nowUs = monotonicUs();
  for (let slot: u32 = 0; slot < slotCount(); slot++) {
    const root = rootInSlot(slot);
    if (root == null || slot == newestSlot()) continue;
    if (root.replacedAtUs == 0) root.replacedAtUs = nowUs;
    else if (nowUs - root.replacedAtUs > <u64>root.policy.acquireTimeoutMs * 1000 + MARGIN_US) dropRoot(root.id);
  }
}
