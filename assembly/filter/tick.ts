// What a VM does ten times a second, in bounded portions: count, lead if it is its turn, confirm what was taken on
// trust, report.
import { monotonicUs } from "../host/clock";
import { shouldHoldBack, startCall } from "./acquire";
import { NONE } from "./calls";
import { leads } from "./leader";
import { PROVISIONAL_ENTRIES, noteProvisional, takeProvisional } from "./provisional";
import { reportIfDue } from "./report";
import { continueReset, stopReset } from "./reset";
import { Root, isSuperseded, rootInSlot, slotCount, slotOfRoot } from "./roots";
import { sweepSlice } from "./sweep";
import { watchIfDue } from "./watch";

/** Acquires a tick that nobody waits for: 80 a second a worker, so a control plane that is back is not stormed. */
const CONFIRMATIONS_A_TICK: u32 = 8;

export function tick(rootId: u32): void {
  // A root that was replaced has no ticks any more, but may still have streams: its counts go along.
  for (let slot: u32 = 0; slot < slotCount(); slot++) {
    const root = rootInSlot(slot);
    if (root != null) root.counters.flush();
  }
  const root = rootInSlot(slotOfRoot(rootId));
  if (root == null || isSuperseded(root)) return;
  const nowUs = monotonicUs();
  if (leads(root, nowUs)) {
    continueReset(root);
    watchIfDue(root, nowUs);
    sweepSlice(root, nowUs);
  } else {
    stopReset(root);
  }
  if (!shouldHoldBack()) confirmProvisional(root);
  reportIfDue(root, nowUs);
}

/** Where the last look ended: sessions that keep failing do not hold up the others. */
let nextProvisional: u32 = 0;

function confirmProvisional(root: Root): void {
  let sent: u32 = 0;
  for (let looked: u32 = 0; looked < PROVISIONAL_ENTRIES && sent < CONFIRMATIONS_A_TICK; looked++) {
    const slot = nextProvisional;
    nextProvisional = (slot + 1) % PROVISIONAL_ENTRIES;
    const token = takeProvisional(root, slot);
    if (token == 0) continue;
    // The record stands: an answer that finds it gone is dropped.
    if (startCall(root, token, false, monotonicUs()) == NONE) {
      noteProvisional(root, token);
      return;
    }
    sent++;
  }
}
