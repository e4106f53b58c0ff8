// The way on of requests that have waited: by what their wait came to, in the order in which it ended, so many at a time.
import { tickEvery } from "../../host/metrics";
import { enterRoot, enterStream } from "../../host/stream";
import { TICK_MS } from "../../contract";
import {
  NONE,
  freeWaiter,
  linkWaiter,
  noteAnsweredTo,
  waiterAnswered,
  waiterEpoch,
  waiterNext,
  waiterRoot,
} from "../edge/waiters";
import { Root, rootInSlot, slotOfRoot } from "../state/roots";
import { applyToWaiting } from "./apply";
import { decide, decideOnAnswer } from "./decide";
import { keptRequest } from "./request";

/**
 * Envoy carries out what becomes of them once the callback has returned, and goes on with the next one where a response to
 * one is there at once: one within the other, on one stack. Some hundreds deep V8 ends the VM (docs/envoy-facts.md).
 */
const AT_ONCE: u32 = 100;
/** For those that are left, until there are none. */
const SOON_MS: u32 = 1;
const TICK_US: u64 = <u64>TICK_MS * 1000;

/** No answer says what becomes of it: it is decided from its headers. */
export const BY_ITSELF: u32 = 0xfffffffe;

let first: u32 = NONE;
let last: u32 = NONE;
/** How many may still go on in this callback. */
let room: u32 = 0;

/** At the beginning of a callback in which requests may go on. */
export function beginTurn(): void {
  room = AT_ONCE;
}

/** What else the callback does to streams counts too. */
export function takeRoom(streams: u32): void {
  room -= min(room, streams);
}

/**
 * Appends a chain of waiters, and lets those go on that are first while there is room: their decision sees the table as their
 * answer left it. From here on host calls go to other streams.
 * @param answered what they waited for came to (insert.ts, decide.ts), or BY_ITSELF
 */
export function letGo(chain: u32, answered: u32): void {
  if (chain == NONE) return;
  if (first == NONE) first = chain;
  else linkWaiter(last, chain);
  for (let waiter = chain; waiter != NONE; waiter = waiterNext(waiter)) {
    noteAnsweredTo(waiter, answered);
    last = waiter;
  }
  goOn();
}

/** At the end of a callback of `root`: those that are left follow with ticks that come soon. */
export function endTurn(root: Root): void {
  goOn();
  room = 0;
  hurry(root, first != NONE);
}

/** Whether a tick that comes now is not a regular one of this root. */
export function isBetweenTicks(root: Root, nowUs: u64): bool {
  return root.hurries && nowUs < root.tickedUs + TICK_US;
}

function goOn(): void {
  while (room > 0 && first != NONE) {
    room--;
    const waiter = first;
    const slot = slotOfRoot(waiterRoot(waiter));
    const request = keptRequest(waiter, slot);
    const epoch = waiterEpoch(waiter);
    const answered = waiterAnswered(waiter);
    first = freeWaiter(waiter);
    const root = rootInSlot(slot);
    // A client that left is not resumed, and pays nothing.
    if (root == null || !enterStream(request.contextId)) continue;
    request.bind(root);
    // Under another policy, what was kept of the request may not be what that one would have kept.
    const isByAnswer = answered != BY_ITSELF && epoch == root.epoch.number;
    applyToWaiting(request, isByAnswer ? decideOnAnswer(request, answered) : decide(request));
  }
}

function hurry(root: Root, hasMore: bool): void {
  if (root.hurries == hasMore || !enterRoot(root.id)) return;
  root.hurries = hasMore;
  tickEvery(hasMore ? SOON_MS : TICK_MS);
}
