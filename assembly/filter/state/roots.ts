// The root contexts of this VM: one for each configuration of the filter in Envoy, two while one replaces another.
import { Epoch } from "./epoch";
import { Table } from "./table";

export const NO_ROOT: u32 = 0xffffffff;

/** A root context with the edge settings that it was configured with. */
export class Root {
  /** Ticks of other roots since this one's last. Only where the host does not report a root's end (lean.ts). */
  missedTicks: u32 = 0;
  /** Its ticks come sooner than they should: requests wait for their turn (request/let-go.ts). */
  hurries: bool = false;
  /** When its last regular tick came, monotonic µs. */
  tickedUs: u64 = 0;
  /** Where its last look at open streams ended (request/close-streams.ts). */
  nextStream: u32 = 0;

  /**
   * @param follows serves what its table has of the control plane, and `own` only until that is there
   * @param own of the settings' own policy; NO_POLICY where they have none
   */
  constructor(
    public id: u32,
    public table: Table,
    public follows: bool,
    public own: Epoch,
  ) {}

  /** What is in force for its requests. */
  @inline
  get epoch(): Epoch {
    const shared = this.table.epoch;
    return this.follows && !shared.isNone ? shared : this.own;
  }

  /** The epoch of this number, if it is still kept: the present one or the one before. */
  epochNumbered(number: u32): Epoch | null {
    if (this.own.number == number) return this.own;
    if (this.table.epoch.number == number) return this.table.epoch;
    return this.table.previous.number == number ? this.table.previous : null;
  }
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

/** Whether newer settings of the same table run in this VM: then their root leads and reports. */
export function isSuperseded(root: Root): bool {
  const count = slotCount();
  for (let slot: u32 = 0; slot < count; slot++) {
    const other = unchecked(slots[slot]);
    if (other != null && other.table == root.table && other.id > root.id) return true;
  }
  return false;
}

/** Whether some settings of the table follow the control plane: the newest need not, where two listeners differ. */
export function isFollowed(table: Table): bool {
  const count = slotCount();
  for (let slot: u32 = 0; slot < count; slot++) {
    const root = unchecked(slots[slot]);
    if (root != null && root.table == table && root.follows) return true;
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
