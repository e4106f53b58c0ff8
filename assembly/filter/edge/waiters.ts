// The paused requests of this worker: a fixed table, in chains. Each call has a chain of those that wait for it
// (calls.ts); those that wait for a policy have one of their own (held.ts).
import { TOKEN_BYTES } from "../../contract";

//   0            4      8      12       16      52        56      60
//   | context id | next | asks | in use | token | root id | epoch |

/** Requests paused at a time: bounds what a slow control plane can hold up. */
export const MAX_WAITERS: u32 = 1024;
export const NONE: u32 = 0xffffffff;

const WAITER_BYTES: u32 = 60;
const NEXT_AT: u32 = 4;
const ASKS_AT: u32 = 8;
const USED_AT: u32 = 12;
const TOKEN_AT: u32 = 16;
const ROOT_AT: u32 = 52;
const EPOCH_AT: u32 = 56;

const waiters: usize = memory.data(61440, 8);
/** Where the search for a free waiter goes on: they are taken and freed in turn. */
let nextFree: u32 = 0;
let inUse: u32 = 0;

// @ts-ignore: decorator
@inline
function waiterAt(waiter: u32): usize {
  return waiters + waiter * WAITER_BYTES;
}

export function hasRoomToWait(): bool {
  return inUse < MAX_WAITERS;
}

/** Takes a waiter, at the end of no chain; there must be room. `asks`: how often the request has asked so far. */
export function takeWaiter(contextId: u32, asks: u32, rootId: u32, epoch: u32): u32 {
  let waiter = nextFree;
  for (let i: u32 = 0; i < MAX_WAITERS; i++) {
    if (load<u32>(waiterAt(waiter), USED_AT) == 0) break;
    waiter = (waiter + 1) & (MAX_WAITERS - 1);
  }
  nextFree = (waiter + 1) & (MAX_WAITERS - 1);
  inUse++;
  const at = waiterAt(waiter);
  store<u32>(at, contextId);
  store<u32>(at, NONE, NEXT_AT);
  store<u32>(at, asks, ASKS_AT);
  store<u32>(at, 1, USED_AT);
  store<u32>(at, rootId, ROOT_AT);
  store<u32>(at, epoch, EPOCH_AT);
  return waiter;
}

/** Frees a waiter. Returns the next of its chain, or NONE. */
export function freeWaiter(waiter: u32): u32 {
  inUse--;
  store<u32>(waiterAt(waiter), 0, USED_AT);
  return load<u32>(waiterAt(waiter), NEXT_AT);
}

export function linkWaiter(waiter: u32, next: u32): void {
  store<u32>(waiterAt(waiter), next, NEXT_AT);
}

export function keepWaiterToken(waiter: u32, token: usize): void {
  memory.copy(waiterAt(waiter) + TOKEN_AT, token, TOKEN_BYTES);
}

export function waiterNext(waiter: u32): u32 {
  return load<u32>(waiterAt(waiter), NEXT_AT);
}

export function waiterContext(waiter: u32): u32 {
  return load<u32>(waiterAt(waiter));
}

export function waiterToken(waiter: u32): usize {
  return waiterAt(waiter) + TOKEN_AT;
}

export function waiterAsks(waiter: u32): u32 {
  return load<u32>(waiterAt(waiter), ASKS_AT);
}

/** The root context of its stream. */
export function waiterRoot(waiter: u32): u32 {
  return load<u32>(waiterAt(waiter), ROOT_AT);
}

/** The number of the epoch under which it was decided that it waits. */
export function waiterEpoch(waiter: u32): u32 {
  return load<u32>(waiterAt(waiter), EPOCH_AT);
}
