// The lease calls of this worker that are out: a fixed table, each with the sessions that it asks for (lease-asks.ts).
import { MAX_OPEN_ASKS, closeLeaseAsk, leaseAskAt } from "./lease-asks";
import { NONE, freeWaiter } from "./waiters";

//   0         4                 8           12       16        24
//   | call id | root context id | first ask | in use | sent at |

/** Calls out at a time. */
const MAX_LEASE_CALLS: u32 = 4;
const CALL_BYTES: u32 = 24;
const calls: usize = memory.data(MAX_LEASE_CALLS * CALL_BYTES, 8);
let out: u32 = 0;

export function hasFreeLeaseCall(): bool {
  return out < MAX_LEASE_CALLS;
}

/** Notes a call that was sent. There must be a free one. */
export function openLeaseCall(callId: u32, rootId: u32, chain: u32, nowUs: u64): void {
  let at = calls;
  while (load<u32>(at, 12) != 0) at += CALL_BYTES;
  out++;
  store<u32>(at, callId);
  store<u32>(at, rootId, 4);
  store<u32>(at, chain, 8);
  store<u32>(at, 1, 12);
  store<u64>(at, nowUs, 16);
}

/** The call of this root that the host knows by this id, or NONE. */
export function leaseCallWithId(rootId: u32, callId: u32): u32 {
  for (let call: u32 = 0; call < MAX_LEASE_CALLS; call++) {
    const at = calls + call * CALL_BYTES;
    if (load<u32>(at, 12) != 0 && load<u32>(at) == callId && load<u32>(at, 4) == rootId) return call;
  }
  return NONE;
}

export function leaseCallSentAtUs(call: u32): u64 {
  return load<u64>(calls + call * CALL_BYTES, 16);
}

/** Frees the call and gives up its asks: the first of a chain. */
export function closeLeaseCall(call: u32): u32 {
  const at = calls + call * CALL_BYTES;
  out--;
  store<u32>(at, 0, 12);
  return load<u32>(at, 8);
}

/** Forgets what a root that is gone asked: its answers will not come, and its streams ended before it. */
export function dropLeasesOf(rootId: u32): void {
  for (let call: u32 = 0; call < MAX_LEASE_CALLS; call++) {
    const at = calls + call * CALL_BYTES;
    if (load<u32>(at, 12) != 0 && load<u32>(at, 4) == rootId) closeLeaseCall(call);
  }
  for (let number: u32 = 0; number < MAX_OPEN_ASKS; number++) {
    const ask = leaseAskAt(number);
    if (!ask.inUse || ask.rootId != rootId) continue;
    let waiter = closeLeaseAsk(number);
    while (waiter != NONE) waiter = freeWaiter(waiter);
  }
}
