// The end of a call to the control plane, with or without an answer: which call it was.
import { finishAcquire } from "./request/acquire-answer";
import { finishLease } from "./request/lease-answer";
import { callWithId } from "./edge/calls";
import { leaseCallWithId } from "./edge/lease-calls";
import { finishReport, isReport } from "./edge/report";
import { Root, rootInSlot, slotOfRoot } from "./state/roots";
import { NONE } from "./edge/waiters";
import { finishWatch, isWatch } from "./edge/watch";

/** Goes on with what the call was made for. An unknown call, of a root that is gone, is ignored. */
export function finishCall(rootId: u32, callId: u32, bodyBytes: u32): void {
  const root = rootInSlot(slotOfRoot(rootId));
  if (root == null) return;
  const acquire = callWithId(callId);
  if (acquire != NONE) finishAcquire(root, acquire, bodyBytes);
  else if (finishIfLease(root, callId, bodyBytes)) return;
  else if (isWatch(root, callId)) finishWatch(root, bodyBytes);
  else if (isReport(rootId, callId)) finishReport(root.table, bodyBytes);
}

function finishIfLease(root: Root, callId: u32, bodyBytes: u32): bool {
  const lease = leaseCallWithId(root.id, callId);
  if (lease == NONE) return false;
  finishLease(root, lease, bodyBytes);
  return true;
}
