// An answer of the control plane has come, or did not: which call it belongs to.
import { finishAcquire } from "./request/acquire-answer";
import { callWithId } from "./edge/calls";
import { finishReport, isReport } from "./edge/report";
import { rootInSlot, slotOfRoot } from "./state/roots";
import { NONE } from "./edge/waiters";
import { finishWatch, isWatch } from "./edge/watch";

/** Goes on with whatever the call was made for. A call that nobody knows any more is left alone. */
export function finishCall(rootId: u32, callId: u32, bodyBytes: u32): void {
  const slot = slotOfRoot(rootId);
  const root = rootInSlot(slot);
  if (root == null) return;
  const acquire = callWithId(callId);
  if (acquire != NONE) finishAcquire(root, slot, acquire, bodyBytes);
  else if (isWatch(root, callId)) finishWatch(root, bodyBytes);
  else if (isReport(rootId, callId)) finishReport(root.table, bodyBytes);
}
