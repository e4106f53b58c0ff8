// Sessions to be asked about while as many calls are out as may be: in the order in which they came, each for a bounded
// time. They go out many in a call as calls come back.
import { MAX_ACQUIRE_SESSIONS } from "../../contract";
import { ASK_ALONE, askRoot, askWaitsUntilUs, hasAskFlag, linkAsk, nextAsk } from "./asks";
import { NONE } from "./waiters";

let first: u32 = NONE;
let last: u32 = NONE;

/** The one that waits the longest, or NONE. */
export function firstQueued(): u32 {
  return first;
}

/** Appends a session that is in no call. */
export function queueAsk(ask: u32): void {
  linkAsk(ask, NONE);
  if (first == NONE) first = ask;
  else linkAsk(last, ask);
  last = ask;
}

/** Takes out the sessions for one call, as a chain: from the first on, of one root. The queue must not be empty. */
export function takeBatch(): u32 {
  const batch = first;
  let end = batch;
  let next = nextAsk(end);
  for (let asked: u32 = 1; asked < MAX_ACQUIRE_SESSIONS && next != NONE; asked++) {
    if (hasAskFlag(end, ASK_ALONE) || hasAskFlag(next, ASK_ALONE) || askRoot(next) != askRoot(batch)) break;
    end = next;
    next = nextAsk(end);
  }
  linkAsk(end, NONE);
  first = next;
  if (next == NONE) last = NONE;
  return batch;
}

/** Takes out those whose time is over, as a chain. */
export function takeOverdue(nowUs: u64): u32 {
  let taken = NONE;
  let lastTaken = NONE;
  let ask = first;
  first = NONE;
  last = NONE;
  while (ask != NONE) {
    const next = nextAsk(ask);
    if (askWaitsUntilUs(ask) > nowUs) {
      queueAsk(ask);
    } else {
      linkAsk(ask, NONE);
      if (taken == NONE) taken = ask;
      else linkAsk(lastTaken, ask);
      lastTaken = ask;
    }
    ask = next;
  }
  return taken;
}
