// Requests that wait for a policy (this edge's first one, or one that has their session's plan), or for a lease that another
// worker has asked for. In the order in which they came; release-held.ts lets them go.
import { NO_POLICY_HOLD_MS } from "../../contract";
import { monotonicUs } from "../../host/clock";
import { noteBell } from "../policy/bell";
import { hasFirstWatchFailed } from "../table/instance";
import { Request } from "../state/request";
import { Table } from "../state/table";
import { NONE, hasRoomToWait, linkWaiter, takeWaiter } from "../edge/waiters";

/** A first watch that failed is sent once more within this time; past it the edge's requests are held no longer. */
const FAILED_HOLD_US: u64 = 500000;
const HOLD_US: u64 = <u64>NO_POLICY_HOLD_MS * 1000;
/** The policy that has a session's plan is on its way to this VM: it takes a tick or two. */
const PLAN_HOLD_US: u64 = 1000000;

/** The requests that wait, the one that came first first. */
let first: u32 = NONE;
let last: u32 = NONE;

/** Holds a request of an edge that has no policy yet. False: the time for that is over, or too many wait. */
export function holdForPolicy(request: Request): bool {
  return mayWaitForPolicy(request.root.table, monotonicUs()) && hold(request);
}

/** Holds a request whose session has a plan that this VM does not know, while it knows that a newer policy is on its way. */
export function holdForPlan(request: Request): bool {
  const root = request.root;
  const table = root.table;
  if (!root.follows) return false;
  const nowUs = monotonicUs();
  // Another worker's record may be of a policy that this VM would hear of on its next tick.
  if (table.behindSinceUs == 0) noteBell(table, nowUs);
  if (table.behindSinceUs == 0) return false;
  return nowUs < table.behindSinceUs + PLAN_HOLD_US && hold(request);
}

/** Holds a request until the next tick: another worker asks for the lease that it needs. */
export function holdForLease(request: Request): bool {
  return hold(request);
}

function hold(request: Request): bool {
  if (!hasRoomToWait()) return false;
  holdLonger(takeWaiter(request));
  return true;
}

/** All that are held, as a chain (waiterNext); none is held any more. */
export function takeHeld(): u32 {
  const chain = first;
  first = NONE;
  last = NONE;
  return chain;
}

/** Appends a waiter to those that are held. */
export function holdLonger(waiter: u32): void {
  linkWaiter(waiter, NONE);
  if (first == NONE) first = waiter;
  else linkWaiter(last, waiter);
  last = waiter;
}

/** From the VM's start, not Envoy's: one whose code was just replaced has yet to try the policy that the others run. */
export function mayWaitForPolicy(table: Table, nowUs: u64): bool {
  const startUs = table.startUs;
  if (nowUs >= startUs + HOLD_US) return false;
  return nowUs < startUs + FAILED_HOLD_US || !hasFirstWatchFailed(table);
}
