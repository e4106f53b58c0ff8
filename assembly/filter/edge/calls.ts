// The acquires of this worker that are out: a fixed table, each with the sessions that it asks about (asks.ts).
import { closeAsk, nextAsk } from "./asks";
import { NONE, freeWaiter } from "./waiters";

//   0         4                 8           12       16        24
//   | call id | root context id | first ask | in use | sent at |

/**
 * Calls out at a time: bounds what a worker asks of the control plane at once, so that it answers each in time. More
 * sessions wait, and share the next calls, which cost it less.
 */
export const MAX_CALLS: u32 = 8;

const CALL_BYTES: u32 = 24;
const ROOT_AT: u32 = 4;
const ASK_AT: u32 = 8;
const USED_AT: u32 = 12;
const SENT_AT: u32 = 16;

/** MAX_CALLS × CALL_BYTES. */
const calls: usize = memory.data(192, 8);
let out: u32 = 0;

// @ts-ignore: decorator
@inline
function callAt(call: u32): usize {
  return calls + call * CALL_BYTES;
}

export function hasFreeCall(): bool {
  return out < MAX_CALLS;
}

/** Notes a call that was sent, with the sessions that it asks about. There must be a free one. */
export function openCall(callId: u32, rootId: u32, firstAsk: u32, nowUs: u64): void {
  let call: u32 = 0;
  while (load<u32>(callAt(call), USED_AT) != 0) call++;
  const at = callAt(call);
  out++;
  store<u32>(at, callId);
  store<u32>(at, rootId, ROOT_AT);
  store<u32>(at, firstAsk, ASK_AT);
  store<u32>(at, 1, USED_AT);
  store<u64>(at, nowUs, SENT_AT);
}

/** Monotonic µs. */
export function callSentAtUs(call: u32): u64 {
  return load<u64>(callAt(call), SENT_AT);
}

/** The call that the host knows by this id, or NONE. */
export function callWithId(callId: u32): u32 {
  for (let call: u32 = 0; call < MAX_CALLS; call++) {
    if (load<u32>(callAt(call), USED_AT) != 0 && load<u32>(callAt(call)) == callId) return call;
  }
  return NONE;
}

/** Frees the call and gives up the sessions that it asked about: the first of a chain. */
export function closeCall(call: u32): u32 {
  out--;
  store<u32>(callAt(call), 0, USED_AT);
  return load<u32>(callAt(call), ASK_AT);
}

/**
 * Forgets what a root that is gone asked: its answers will not come, and its streams ended before it. What it has queued
 * goes when its turn comes.
 */
export function dropCallsOf(rootId: u32): void {
  for (let call: u32 = 0; call < MAX_CALLS; call++) {
    const at = callAt(call);
    if (load<u32>(at, USED_AT) != 0 && load<u32>(at, ROOT_AT) == rootId) dropAsks(closeCall(call));
  }
}

function dropAsks(chain: u32): void {
  let ask = chain;
  while (ask != NONE) {
    const next = nextAsk(ask);
    let waiter = closeAsk(ask);
    while (waiter != NONE) waiter = freeWaiter(waiter);
    ask = next;
  }
}
