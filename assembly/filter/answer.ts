// An answer of the control plane has come, or did not: which call it belongs to.
import { finishAcquire } from "./acquire-answer";
import { callWithId } from "./calls";
import { finishReport, isReport } from "./report";
import { rootInSlot, slotOfRoot } from "./roots";
import { NONE } from "./waiters";
import { finishWatch, isWatch } from "./watch";

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
