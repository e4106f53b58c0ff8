// What a VM does ten times a second, in bounded portions: count, take a policy that has come, lead if it holds the lease,
// end open streams whose session has ended, release requests that wait, confirm unverified sessions, report.
import { monotonicUs } from "../host/clock";
import { queueConfirmation, shouldHoldBack } from "./edge/acquire";
import { findAsk, freeConfirmations } from "./edge/asks";
import { sendLeases } from "./edge/lease-call";
import { askAhead } from "./edge/lease-tick";
import { logFailures } from "./edge/call-outcomes";
import { STREAMS_CLOSED, countMany, flushCounters } from "./vm/counters";
import { flushLeaseCounters } from "./vm/lease-counters";
import { flushSettleCounters } from "./vm/settle-counters";
import { holdUnsent } from "./request/admit-lease";
import { goOnAsking } from "./request/acquire-answer";
import { closeEndedStreams } from "./request/close-streams";
import { beginTurn, endTurn, isBetweenTicks, takeRoom } from "./request/let-go";
import { settleLostNotes } from "./request/lost-notes";
import { releaseHeld } from "./request/release-held";
import { leads } from "./table/leader";
import { PROVISIONAL_ENTRIES, noteProvisional, takeProvisional } from "./table/provisional";
import { reportIfDue } from "./edge/report";
import { continueReset, stopReset } from "./edge/reset";
import { Root, isFollowed, isSuperseded, rootInSlot, slotCount, slotOfRoot } from "./state/roots";
import { sweepSlice } from "./table/sweep";
import { lookAtBell } from "./policy/take-policy";
import { NONE } from "./edge/waiters";
import { watchIfDue } from "./edge/watch";

/** Whether a tick of this root, at this moment, comes only because requests wait for their turn. */
export function isExtraTick(rootId: u32): bool {
  const root = rootInSlot(slotOfRoot(rootId));
  return root != null && isBetweenTicks(root, monotonicUs());
}

/** @returns whether garbage was left, by a policy that was read or a line in the log: then it is to be collected */
export function tick(rootId: u32): bool {
  const root = rootInSlot(slotOfRoot(rootId));
  beginTurn();
  if (root != null && root.hurries && isBetweenTicks(root, monotonicUs())) {
    endTurn(root);
    return false;
  }
  flushAll();
  if (root == null) return false;
  if (isSuperseded(root)) {
    endTurn(root);
    return false;
  }
  const table = root.table;
  const nowUs = monotonicUs();
  root.tickedUs = nowUs;
  const hasLogged = logFailures(table, nowUs);
  const hasRead = isFollowed(table) && lookAtBell(table, nowUs);
  if (leads(table, nowUs)) {
    continueReset(table);
    watchIfDue(root, nowUs);
    sweepSlice(root, nowUs);
  } else {
    stopReset(table);
  }
  if (!shouldHoldBack()) queueConfirmations(root, nowUs);
  reportIfDue(root, nowUs);
  if (!shouldHoldBack()) {
    askAhead(root, nowUs);
    holdUnsent(sendLeases(root));
  }
  const closed = closeEndedStreams(root, nowUs);
  countMany(STREAMS_CLOSED, closed);
  takeRoom(closed);
  settleLostNotes(root);
  // Last: from here on host calls go to other roots and to the streams that are resumed, and no longer to this root.
  goOnAsking(nowUs);
  releaseHeld(nowUs);
  endTurn(root);
  return hasRead || hasLogged;
}

/** A root that newer settings of its table superseded does nothing on its ticks, but may still have streams: its counts go along. */
function flushAll(): void {
  flushCounters();
  flushSettleCounters();
  flushLeaseCounters();
  for (let slot: u32 = 0; slot < slotCount(); slot++) {
    const root = rootInSlot(slot);
    if (root == null) continue;
    root.own.planCounts.flush();
    root.table.epoch.planCounts.flush();
  }
}

/** Where the last look ended: sessions that keep failing do not hold up the others. */
let nextProvisional: u32 = 0;

/**
 * No more are under way at a time than MAX_CONFIRMATIONS, so a control plane that is back is asked about more of them as
 * fast as it answers, and a slow one is not flooded.
 */
function queueConfirmations(root: Root, nowUs: u64): void {
  let room = freeConfirmations();
  for (let looked: u32 = 0; looked < PROVISIONAL_ENTRIES && room > 0; looked++) {
    const slot = nextProvisional;
    nextProvisional = (slot + 1) % PROVISIONAL_ENTRIES;
    const token = takeProvisional(root.table, slot);
    // One that a request asks about has its answer from there, or is noted again with the session's next request.
    if (token == 0 || findAsk(root.id, token) != NONE) continue;
    if (queueConfirmation(root, token, nowUs)) {
      room--;
      continue;
    }
    noteProvisional(root.table, token);
    return;
  }
}
