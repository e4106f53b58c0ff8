// Letting go, on ticks, of requests that wait for a policy: each is decided from its headers under what is then in force.
import { enterStream } from "../../host/stream";
import { NONE, freeWaiter, waiterNext, waiterRoot } from "../edge/waiters";
import { rootInSlot, slotOfRoot } from "../state/roots";
import { applyToWaiting } from "./apply";
import { decide } from "./decide";
import { holdLonger, mayWaitForPolicy, takeHeld } from "./held";
import { keptRequest } from "./request";

/** On a tick: those go on that have a policy by now, and those whose time is over. */
export function releaseHeld(nowUs: u64): void {
  let waiter = takeHeld();
  while (waiter != NONE) {
    const next = waiterNext(waiter);
    const root = rootInSlot(slotOfRoot(waiterRoot(waiter)));
    if (root != null && root.epoch.isNone && mayWaitForPolicy(root.table, nowUs)) holdLonger(waiter);
    else goOn(waiter);
    waiter = next;
  }
}

function goOn(waiter: u32): void {
  const request = keptRequest(waiter, slotOfRoot(waiterRoot(waiter)));
  freeWaiter(waiter);
  // A client that left is not resumed, and pays nothing.
  if (enterStream(request.contextId)) applyToWaiting(request, decide(request));
}
