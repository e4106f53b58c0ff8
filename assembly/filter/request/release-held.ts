// Letting go, on ticks, of requests that wait for a policy: each is decided from its headers under what is then in force.
import { NONE, linkWaiter, waiterNext, waiterRoot } from "../edge/waiters";
import { rootInSlot, slotOfRoot } from "../state/roots";
import { holdLonger, mayWaitForPolicy, takeHeld } from "./held";
import { BY_ITSELF, letGo } from "./let-go";

/** On a tick: those wait no longer that have a policy by now, and those whose time is over. */
export function releaseHeld(nowUs: u64): void {
  let waiter = takeHeld();
  while (waiter != NONE) {
    const next = waiterNext(waiter);
    const root = rootInSlot(slotOfRoot(waiterRoot(waiter)));
    if (root != null && root.epoch.isNone && mayWaitForPolicy(root.table, nowUs)) {
      holdLonger(waiter);
    } else {
      linkWaiter(waiter, NONE);
      letGo(waiter, BY_ITSELF);
    }
    waiter = next;
  }
}
