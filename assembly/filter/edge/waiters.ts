// The paused requests of this worker: a fixed table, in chains. Each call has a chain of those that wait for it
// (calls.ts); those that wait for a policy have one of their own (held.ts), and so have those that wait for nothing any
// more but their turn (request/let-go.ts). Each keeps its whole record.
import { REQUEST_BYTES, Request } from "../state/request";

//   0      4        8         12      16         24        96
//   | next | in use | root id | epoch | answered | request |

/** Requests paused at a time: bounds what a slow control plane can hold up. */
export const MAX_WAITERS: u32 = 1024;
export const NONE: u32 = 0xffffffff;

const USED_AT: u32 = 4;
const ROOT_AT: u32 = 8;
const EPOCH_AT: u32 = 12;
const ANSWERED_AT: u32 = 16;
const REQUEST_AT: u32 = 24;
const WAITER_BYTES: u32 = REQUEST_AT + REQUEST_BYTES;

const waiters: usize = memory.data(MAX_WAITERS * WAITER_BYTES, 8);
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

/** Takes a waiter for a request, at the end of no chain; there must be room. */
export function takeWaiter(request: Request): u32 {
  let waiter = nextFree;
  for (let i: u32 = 0; i < MAX_WAITERS; i++) {
    if (load<u32>(waiterAt(waiter), USED_AT) == 0) break;
    waiter = (waiter + 1) & (MAX_WAITERS - 1);
  }
  nextFree = (waiter + 1) & (MAX_WAITERS - 1);
  inUse++;
  const at = waiterAt(waiter);
  store<u32>(at, NONE);
  store<u32>(at, 1, USED_AT);
  store<u32>(at, request.root.id, ROOT_AT);
  store<u32>(at, request.epoch.number, EPOCH_AT);
  memory.copy(at + REQUEST_AT, changetype<usize>(request), REQUEST_BYTES);
  return waiter;
}

/** Frees a waiter. Returns the next of its chain, or NONE. */
export function freeWaiter(waiter: u32): u32 {
  inUse--;
  store<u32>(waiterAt(waiter), 0, USED_AT);
  return load<u32>(waiterAt(waiter));
}

export function linkWaiter(waiter: u32, next: u32): void {
  store<u32>(waiterAt(waiter), next);
}

export function waiterNext(waiter: u32): u32 {
  return load<u32>(waiterAt(waiter));
}

/** @param answered what its wait came to, see request/let-go.ts */
export function noteAnsweredTo(waiter: u32, answered: u32): void {
  store<u32>(waiterAt(waiter), answered, ANSWERED_AT);
}

export function waiterAnswered(waiter: u32): u32 {
  return load<u32>(waiterAt(waiter), ANSWERED_AT);
}

/** What is kept of the request; its root and its epoch may be gone. */
export function waiterRequest(waiter: u32): Request {
  return changetype<Request>(waiterAt(waiter) + REQUEST_AT);
}

/** The root context of its stream. */
export function waiterRoot(waiter: u32): u32 {
  return load<u32>(waiterAt(waiter), ROOT_AT);
}

/** The number of the epoch under which it was decided that it waits. */
export function waiterEpoch(waiter: u32): u32 {
  return load<u32>(waiterAt(waiter), EPOCH_AT);
}
