// The sessions for which this worker asks for a lease: a fixed table. Each waits to be asked about or is part of a call
// that is out; requests that wait for its answer are chained to it (waiters.ts).
import { SESSION_ID_BYTES, TOKEN_BYTES } from "../../contract";
import { sessionIdOf } from "../../domain/token/token";
import { Request } from "../state/request";
import { LEASE_ASK_BYTES, LeaseAsk } from "../state/lease-ask";
import { NONE, hasRoomToWait, linkWaiter, takeWaiter } from "./waiters";

/** At a time. */
export const MAX_OPEN_ASKS: u32 = 512;
/** As of an acquire. */
const MAX_WAITERS_OF_ASK: u32 = 256;
const asks: usize = memory.data(MAX_OPEN_ASKS * LEASE_ASK_BYTES, 8);
let inUse: u32 = 0;

export function leaseAskAt(number: u32): LeaseAsk {
  return changetype<LeaseAsk>(asks + number * LEASE_ASK_BYTES);
}

/** The session's, under this root, or NONE. */
export function findLeaseAsk(rootId: u32, token: usize): u32 {
  let left = inUse;
  for (let number: u32 = 0; left > 0; number++) {
    const ask = leaseAskAt(number);
    if (!ask.inUse) continue;
    left--;
    if (ask.rootId == rootId && memory.compare(sessionIdOf(ask.token), sessionIdOf(token), SESSION_ID_BYTES) == 0) {
      return number;
    }
  }
  return NONE;
}

/** Takes an entry, of no call yet; its costs are the caller's. NONE: all are in use. */
export function openLeaseAsk(rootId: u32, token: usize, why: u8, planId: u32, tag: u32): u32 {
  if (inUse == MAX_OPEN_ASKS) return NONE;
  let number: u32 = 0;
  while (leaseAskAt(number).inUse) number++;
  const ask = leaseAskAt(number);
  memory.fill(changetype<usize>(ask), 0, LEASE_ASK_BYTES);
  inUse++;
  ask.inUse = true;
  ask.next = NONE;
  ask.first = NONE;
  ask.why = why;
  ask.rootId = rootId;
  ask.planId = planId;
  ask.tag = tag;
  memory.copy(ask.token, token, TOKEN_BYTES);
  return number;
}

/** Frees the entry and gives up its waiters: the first of a chain, or NONE. */
export function closeLeaseAsk(number: u32): u32 {
  const ask = leaseAskAt(number);
  ask.inUse = false;
  inUse--;
  return ask.first;
}

/** Lets a request wait for the answer. False: no more may. */
export function addLeaseWaiter(number: u32, request: Request): bool {
  const ask = leaseAskAt(number);
  if (ask.waiting == MAX_WAITERS_OF_ASK || !hasRoomToWait()) return false;
  const waiter = takeWaiter(request);
  ask.waiting++;
  if (ask.first == NONE) ask.first = waiter;
  else linkWaiter(ask.last, waiter);
  ask.last = waiter;
  return true;
}

/** The next entry of this root, from a number on, that is in no call yet; NONE: there is none. */
export function nextUnsent(rootId: u32, from: u32): u32 {
  if (inUse == 0) return NONE;
  for (let number = from; number < MAX_OPEN_ASKS; number++) {
    const ask = leaseAskAt(number);
    if (ask.inUse && !ask.isOut && ask.rootId == rootId) return number;
  }
  return NONE;
}
