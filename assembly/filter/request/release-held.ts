// Letting go, on ticks, of requests that wait for a policy: each is decided from its headers under what is then in force.
import { enterStream } from "../../host/stream";
import { freeCalls } from "../edge/calls";
import { NONE, freeWaiter, waiterNext, waiterRoot } from "../edge/waiters";
import { rootInSlot, slotOfRoot } from "../state/roots";
import { applyToWaiting } from "./apply";
import { decide } from "./decide";
import { holdLonger, mayWaitForPolicy, takeHeld } from "./held";
import { keptRequest } from "./request";

/**
 * On a tick: no more go on under a policy than calls are free for them, so that none finds the control plane out of
 * reach. Those whose time is over are all answered.
 */
export function releaseHeld(nowUs: u64): void {
  let waiter = takeHeld();
  let budget = freeCalls();
  while (waiter != NONE) {
    const next = waiterNext(waiter);
    const root = rootInSlot(slotOfRoot(waiterRoot(waiter)));
    const mayCall = root != null && !root.epoch.isNone;
    if (mayCall ? budget == 0 : root != null && mayWaitForPolicy(root.table, nowUs)) {
      holdLonger(waiter);
    } else {
      if (mayCall) budget--;
      goOn(waiter);
    }
    waiter = next;
  }
}

function goOn(waiter: u32): void {
  const request = keptRequest(waiter, slotOfRoot(waiterRoot(waiter)));
  freeWaiter(waiter);
  // A client that left is not resumed, and pays nothing.
  if (enterStream(request.contextId)) applyToWaiting(request, decide(request));
}
