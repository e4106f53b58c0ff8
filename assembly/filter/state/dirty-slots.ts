// Which slots of the table this VM has spent in since their figures were last acknowledged: a bit each.
import { RECORDS_PER_SET } from "../../contract";

/** Belongs to a table, not to a policy: it outlives a change of policy. What a reloaded VM forgot, the sweep finds. */
export class DirtySlots {
  private bits: StaticArray<u16>;
  /** Where the next look goes on, so that each set has its turn. */
  private next: u32 = 0;
  /** Sets that this round has not looked at. */
  private left: u32 = 0;
  /** A new entry found no record that may be evicted: report at the next tick. */
  urgent: bool = false;

  /** @param capacity in records */
  constructor(capacity: u32) {
    this.bits = new StaticArray<u16>(<i32>(capacity / RECORDS_PER_SET));
  }

  /** Makes room for a table that turned out larger: its capacity is other settings'. On ticks only. */
  fit(sets: u32): void {
    if (sets <= <u32>this.bits.length) return;
    const more = new StaticArray<u16>(<i32>sets);
    for (let set = 0; set < this.bits.length; set++) more[set] = this.bits[set];
    this.bits = more;
  }

  /** Notes that the record in this slot has something to report. */
  @inline
  mark(set: u32, slot: u32): void {
    if (set < <u32>this.bits.length) unchecked((this.bits[set] |= (<u16>1) << (<u16>slot)));
  }


  @inline
  unmark(set: u32, slot: u32): void {
    if (set < <u32>this.bits.length) unchecked((this.bits[set] &= ~((<u16>1) << (<u16>slot))));
  }

  /** The marked slots of a set, a bit each. */
  @inline
  slotsOf(set: u32): u16 {
    return unchecked(this.bits[set]);
  }

  /** Begins a round over all sets, from where the last one ended. */
  startRound(): void {
    this.left = this.bits.length;
  }

  /** The next set of this round with a mark, or -1 when the round is over. A round costs a load for each set. */
  nextMarked(): i32 {
    const count = <u32>this.bits.length;
    while (this.left > 0) {
      const set = this.next;
      this.left--;
      this.next = set + 1 == count ? 0 : set + 1;
      if (unchecked(this.bits[set]) != 0) return <i32>set;
    }
    return -1;
  }

  /** Ends the round before this set: the next one begins with it. */
  endRoundBefore(set: u32): void {
    this.next = set;
    this.left = 0;
  }
}
