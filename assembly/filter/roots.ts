// The policies that this VM serves: one root context each, two while one replaces another or two listeners differ.
import { Policy } from "../domain/policy/model";
import { DenialTexts } from "./denial-texts";
import { PlanTexts } from "./plan-texts";
import { Counters } from "./counters";
import { Sweep } from "./sweep-state";
import { Unreported } from "./unreported";
import { Watching } from "./watching";

export const NO_ROOT: u32 = 0xffffffff;

/** A root context with its policy, and all that follows from the policy and is fixed with it. */
export class Root {
  /** Milliseconds; the longest that any token of this policy can be valid. */
  longestLifetimeMs: u64 = 0;
  /** Hash of the table's name: part of its keys. */
  tableHash: u32 = 0;
  /** Number of sets less one; 0 until the running capacity is known. */
  setMask: u32 = 0;
  nextReportAtUs: u64 = 0;
  /** Ticks of other roots since this one's last. Only where the host does not tell of a root's end (lean.ts). */
  missedTicks: u32 = 0;
  watching: Watching = new Watching();
  sweep: Sweep = new Sweep();

  constructor(
    public id: u32,
    public policy: Policy,
    public headerName: ArrayBuffer,
    public cluster: ArrayBuffer,
    public plans: StaticArray<PlanTexts>,
    public denials: DenialTexts,
    public counters: Counters,
    public unreported: Unreported,
    /** Hex digits of a hash of the configuration's bytes: what this root really runs. */
    public policyHash: ArrayBuffer,
  ) {}
}

/** Grows when it must: a configure that failed for want of a slot would leave its worker without the filter. */
let slots = new StaticArray<Root | null>(4);
let newest: u32 = NO_ROOT;

/** Puts a root in a slot: that of its older configuration, or a free one. */
export function addRoot(root: Root): void {
  let slot = slotOfRoot(root.id);
  if (slot == NO_ROOT) slot = freeSlot();
  unchecked((slots[slot] = root));
  newest = slot;
}

export function removeRoot(slot: u32): void {
  unchecked((slots[slot] = null));
  if (newest == slot) newest = newestOfAll();
}

/** The slot of a root context, or NO_ROOT. */
export function slotOfRoot(id: u32): u32 {
  const count = slotCount();
  for (let slot: u32 = 0; slot < count; slot++) {
    const root = unchecked(slots[slot]);
    if (root != null && root.id == id) return slot;
  }
  return NO_ROOT;
}

/** Whether a newer configuration of the same table runs in this VM: then that one leads and reports. */
export function isSuperseded(root: Root): bool {
  const count = slotCount();
  for (let slot: u32 = 0; slot < count; slot++) {
    const other = unchecked(slots[slot]);
    if (other != null && other.tableHash == root.tableHash && other.id > root.id) return true;
  }
  return false;
}

/** The host numbers contexts upwards. */
function newestOfAll(): u32 {
  let found = NO_ROOT;
  let foundId: u32 = 0;
  const count = slotCount();
  for (let slot: u32 = 0; slot < count; slot++) {
    const root = unchecked(slots[slot]);
    if (root == null || root.id < foundId) continue;
    found = slot;
    foundId = root.id;
  }
  return found;
}

function freeSlot(): u32 {
  const count = slotCount();
  for (let slot: u32 = 0; slot < count; slot++) if (unchecked(slots[slot]) == null) return slot;
  const more = new StaticArray<Root | null>(<i32>count * 2);
  for (let slot: u32 = 0; slot < count; slot++) unchecked((more[slot] = slots[slot]));
  slots = more;
  return count;
}

/** The root in a slot; null where there is none. */
// @ts-ignore: decorator
@inline
export function rootInSlot(slot: u32): Root | null {
  return slot < slotCount() ? unchecked(slots[slot]) : null;
}

/** The slot configured last: for a stream whose own root was forgotten. */
export function newestSlot(): u32 {
  return newest;
}

/** One more than the largest number of a slot. */
export function slotCount(): u32 {
  return slots.length;
}
