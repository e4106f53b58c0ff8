// The acquires of this worker that are out: a fixed table, with the requests that wait for each (waiters.ts).
import { SESSION_ID_BYTES, TOKEN_BYTES } from "../../contract";
import { sessionIdOf } from "../../domain/token/token";
import { NONE, freeWaiter, hasRoomToWait, keepWaiterToken, linkWaiter, takeWaiter } from "./waiters";

//   call:    0         4                 8          16             20            24           28       32      68   72
//            | call id | root context id | asked at | first waiter | last waiter | may insert | in use | token | waiters |

/** Calls out at a time: bounds what a worker can ask of the control plane. */
export const MAX_CALLS: u32 = 256;
/** Requests that wait for one session: so that no client alone can hold all waiters. */
const MAX_WAITERS_OF_CALL: u32 = 256;

const CALL_BYTES: u32 = 72;
const CALL_ROOT_AT: u32 = 4;
const CALL_ASKED_AT: u32 = 8;
const CALL_WAITER_AT: u32 = 16;
const CALL_LAST_WAITER_AT: u32 = 20;
const CALL_MAY_INSERT_AT: u32 = 24;
const CALL_USED_AT: u32 = 28;
const CALL_TOKEN_AT: u32 = 32;
const CALL_WAITERS_AT: u32 = 68;

const calls: usize = memory.data(18432, 8);
let callsOut: u32 = 0;

// @ts-ignore: decorator
@inline
function callAt(call: u32): usize {
  return calls + call * CALL_BYTES;
}

/** The call that is out for this session under this root, or NONE. */
export function findCall(rootId: u32, token: usize): u32 {
  for (let call: u32 = 0; call < MAX_CALLS; call++) {
    const at = callAt(call);
    if (load<u32>(at, CALL_USED_AT) == 0 || load<u32>(at, CALL_ROOT_AT) != rootId) continue;
    if (memory.compare(sessionIdOf(at + CALL_TOKEN_AT), sessionIdOf(token), SESSION_ID_BYTES) == 0) return call;
  }
  return NONE;
}

/** The call that the host knows by this id, or NONE. */
export function callWithId(callId: u32): u32 {
  for (let call: u32 = 0; call < MAX_CALLS; call++) {
    if (load<u32>(callAt(call), CALL_USED_AT) != 0 && load<u32>(callAt(call)) == callId) return call;
  }
  return NONE;
}

/** A slot for a call that is about to be sent, or NONE. It is taken with `openCall`. */
export function freeCall(): u32 {
  for (let call: u32 = 0; call < MAX_CALLS; call++) if (load<u32>(callAt(call), CALL_USED_AT) == 0) return call;
  return NONE;
}

export function openCall(call: u32, callId: u32, rootId: u32, token: usize, mayInsert: bool, askedAtUs: u64): void {
  const at = callAt(call);
  callsOut++;
  store<u32>(at, callId);
  store<u32>(at, rootId, CALL_ROOT_AT);
  store<u64>(at, askedAtUs, CALL_ASKED_AT);
  store<u32>(at, NONE, CALL_WAITER_AT);
  store<u32>(at, mayInsert ? 1 : 0, CALL_MAY_INSERT_AT);
  store<u32>(at, 1, CALL_USED_AT);
  store<u32>(at, 0, CALL_WAITERS_AT);
  memory.copy(at + CALL_TOKEN_AT, token, TOKEN_BYTES);
}

export function callToken(call: u32): usize {
  return callAt(call) + CALL_TOKEN_AT;
}

export function callMayInsert(call: u32): bool {
  return load<u32>(callAt(call), CALL_MAY_INSERT_AT) != 0;
}

export function callAskedAtUs(call: u32): u64 {
  return load<u64>(callAt(call), CALL_ASKED_AT);
}

/** Frees the call and gives up its waiters: the first of a chain, or NONE. Its token stays until the next `openCall`. */
export function closeCall(call: u32): u32 {
  callsOut--;
  store<u32>(callAt(call), 0, CALL_USED_AT);
  return load<u32>(callAt(call), CALL_WAITER_AT);
}

/** Frees the calls of a root that is gone: their answers will not come, and their streams ended before it. */
export function dropCallsOf(rootId: u32): void {
  for (let call: u32 = 0; call < MAX_CALLS; call++) {
    const at = callAt(call);
    if (load<u32>(at, CALL_USED_AT) == 0 || load<u32>(at, CALL_ROOT_AT) != rootId) continue;
    let waiter = closeCall(call);
    while (waiter != NONE) waiter = freeWaiter(waiter);
  }
}

/**
 * Lets a request wait for a call, behind those that wait already. False: the limit of the call, or of all, is reached.
 * @param asks how often it has asked, this one too
 * @param epoch number of the epoch under which it asks
 */
export function addWaiter(call: u32, contextId: u32, token: usize, asks: u32, epoch: u32): bool {
  const at = callAt(call);
  const waiting = load<u32>(at, CALL_WAITERS_AT);
  if (waiting == MAX_WAITERS_OF_CALL || !hasRoomToWait()) return false;
  const waiter = takeWaiter(contextId, asks, load<u32>(at, CALL_ROOT_AT), epoch);
  keepWaiterToken(waiter, token);
  store<u32>(at, waiting + 1, CALL_WAITERS_AT);
  if (load<u32>(at, CALL_WAITER_AT) == NONE) store<u32>(at, waiter, CALL_WAITER_AT);
  else linkWaiter(load<u32>(at, CALL_LAST_WAITER_AT), waiter);
  store<u32>(at, waiter, CALL_LAST_WAITER_AT);
  return true;
}

/** How many more acquires may be out. */
export function freeCalls(): u32 {
  return MAX_CALLS - callsOut;
}
