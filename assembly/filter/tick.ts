// What a VM does ten times a second, in bounded portions: count, and have sessions taken on trust confirmed.
import { monotonicUs } from "../host/clock";
import { shouldHoldBack, startCall } from "./acquire";
import { NONE } from "./calls";
import { PROVISIONAL_ENTRIES, noteProvisional, takeProvisional } from "./provisional";
import { Root, rootInSlot, slotCount, slotOfRoot } from "./roots";

/** Acquires a tick that nobody waits for: 80 a second a worker, so a control plane that is back is not stormed. */
const CONFIRMATIONS_A_TICK: u32 = 8;

export function tick(rootId: u32): void {
  // A root that was replaced has no ticks any more, but may still have streams: its counts go along.
  for (let slot: u32 = 0; slot < slotCount(); slot++) {
    const root = rootInSlot(slot);
    if (root != null) root.counters.flush();
  }
  const root = rootInSlot(slotOfRoot(rootId));
  if (root != null && !shouldHoldBack()) confirmProvisional(root);
}

function confirmProvisional(root: Root): void {
  let sent: u32 = 0;
  for (let slot: u32 = 0; slot < PROVISIONAL_ENTRIES && sent < CONFIRMATIONS_A_TICK; slot++) {
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
