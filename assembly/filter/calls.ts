// The acquires of this worker that are out, and the requests that wait for them: two fixed tables.
import { SESSION_ID_BYTES, TOKEN_BYTES } from "../contract";
import { sessionIdOf } from "../domain/token";

//   call:    0         4                 8          16             20            24           28       32      68   72
//            | call id | root context id | asked at | first waiter | last waiter | may insert | in use | token | waiters |
//   waiter:  0            4      8      12       16      52       56
//            | context id | next | asks | in use | token | (4) |

/** Calls out at a time: bounds what a worker can ask of the control plane. */
export const MAX_CALLS: u32 = 256;
/** Requests paused at a time: bounds what a slow control plane can hold up. */
export const MAX_WAITERS: u32 = 1024;
/** Of those, requests of one session: so that no client alone can hold all places. */
export const MAX_WAITERS_OF_CALL: u32 = 256;
export const NONE: u32 = 0xffffffff;

const CALL_BYTES: u32 = 72;
const CALL_ROOT_AT: u32 = 4;
const CALL_ASKED_AT: u32 = 8;
const CALL_WAITER_AT: u32 = 16;
const CALL_LAST_WAITER_AT: u32 = 20;
const CALL_MAY_INSERT_AT: u32 = 24;
const CALL_USED_AT: u32 = 28;
const CALL_TOKEN_AT: u32 = 32;
const CALL_WAITERS_AT: u32 = 68;

const WAITER_BYTES: u32 = 56;
const WAITER_NEXT_AT: u32 = 4;
const WAITER_ASKS_AT: u32 = 8;
const WAITER_USED_AT: u32 = 12;
const WAITER_TOKEN_AT: u32 = 16;

const calls: usize = memory.data(18432, 8);
const waiters: usize = memory.data(57344, 8);
/** Where the search for a free waiter goes on: they are taken and freed in turn. */
let nextWaiter: u32 = 0;
let waitersInUse: u32 = 0;

// @ts-ignore: decorator
@inline
function callAt(call: u32): usize {
  return calls + call * CALL_BYTES;
}

// @ts-ignore: decorator
@inline
function waiterAt(waiter: u32): usize {
  return waiters + waiter * WAITER_BYTES;
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

/** A place for a call that is about to be sent, or NONE. It is taken with `openCall`. */
export function freeCall(): u32 {
  for (let call: u32 = 0; call < MAX_CALLS; call++) if (load<u32>(callAt(call), CALL_USED_AT) == 0) return call;
  return NONE;
}

export function openCall(call: u32, callId: u32, rootId: u32, token: usize, mayInsert: bool, askedAtUs: u64): void {
  const at = callAt(call);
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
  store<u32>(callAt(call), 0, CALL_USED_AT);
  return load<u32>(callAt(call), CALL_WAITER_AT);
}

/** Frees the calls of a root that is gone: their answers will not come, and their streams went before it. */
export function dropCallsOf(rootId: u32): void {
  for (let call: u32 = 0; call < MAX_CALLS; call++) {
    const at = callAt(call);
    if (load<u32>(at, CALL_USED_AT) == 0 || load<u32>(at, CALL_ROOT_AT) != rootId) continue;
    let waiter = closeCall(call);
    while (waiter != NONE) waiter = freeWaiter(waiter);
  }
}

/** Lets a request wait for a call, behind those that wait already. False: as many wait for it, or in all, as may. `asks`: how often it has asked, this one too. */
export function addWaiter(call: u32, contextId: u32, token: usize, asks: u32): bool {
  const waiting = load<u32>(callAt(call), CALL_WAITERS_AT);
  if (waiting == MAX_WAITERS_OF_CALL || !hasRoomToWait()) return false;
  const waiter = unusedWaiter();
  waitersInUse++;
  store<u32>(callAt(call), waiting + 1, CALL_WAITERS_AT);
  const at = waiterAt(waiter);
  store<u32>(at, contextId);
  store<u32>(at, NONE, WAITER_NEXT_AT);
  store<u32>(at, asks, WAITER_ASKS_AT);
  store<u32>(at, 1, WAITER_USED_AT);
  memory.copy(at + WAITER_TOKEN_AT, token, TOKEN_BYTES);
  const last = load<u32>(callAt(call), CALL_LAST_WAITER_AT);
  if (load<u32>(callAt(call), CALL_WAITER_AT) == NONE) store<u32>(callAt(call), waiter, CALL_WAITER_AT);
  else store<u32>(waiterAt(last), waiter, WAITER_NEXT_AT);
  store<u32>(callAt(call), waiter, CALL_LAST_WAITER_AT);
  return true;
}

/** There must be one. */
function unusedWaiter(): u32 {
  let waiter = nextWaiter;
  for (let i: u32 = 0; i < MAX_WAITERS; i++) {
    if (load<u32>(waiterAt(waiter), WAITER_USED_AT) == 0) break;
    waiter = (waiter + 1) & (MAX_WAITERS - 1);
  }
  nextWaiter = (waiter + 1) & (MAX_WAITERS - 1);
  return waiter;
}

export function hasRoomToWait(): bool {
  return waitersInUse < MAX_WAITERS;
}

export function waiterContext(waiter: u32): u32 {
  return load<u32>(waiterAt(waiter));
}

export function waiterToken(waiter: u32): usize {
  return waiterAt(waiter) + WAITER_TOKEN_AT;
}

export function waiterAsks(waiter: u32): u32 {
  return load<u32>(waiterAt(waiter), WAITER_ASKS_AT);
}

/** Frees a waiter. Returns the next of its chain, or NONE. */
export function freeWaiter(waiter: u32): u32 {
  waitersInUse--;
  store<u32>(waiterAt(waiter), 0, WAITER_USED_AT);
  return load<u32>(waiterAt(waiter), WAITER_NEXT_AT);
}
