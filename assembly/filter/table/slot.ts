// A slot in a set for a new entry: finds it, and counts the new entry and the eviction.
import { ANSWER_VALID_MS, RECORDS_PER_SET } from "../../contract";
import { isEmpty } from "../../domain/table/record";
import { isDirty, slotForNewEntry, recordAt } from "../../domain/table/set";
import { EVICTIONS, TABLE_FULL, TABLE_RECORDS, count } from "../vm/counters";
import { Table } from "../state/table";
import { SetCopy } from "./set-copy";

let found: usize = 0;
let wasEmpty: bool = false;

/** The slot that a new entry takes, or 0. `mayEvict`: whether a live session may go for it. */
export function findSlot(set: usize, nowUs: u64, mayEvict: bool): usize {
  const untouchedUs = mayEvict ? <u64>ANSWER_VALID_MS * 1000 : u64.MAX_VALUE;
  found = slotForNewEntry(set, nowUs, untouchedUs);
  wasEmpty = found != 0 && isEmpty(found);
  return found;
}

/** No slot was needed: the session has one. */
export function keepSlot(): void {
  found = 0;
}

/** Counts the new entry once its set has been written. True if there was one. */
export function countSlot(): bool {
  if (found == 0) return false;
  count(wasEmpty ? TABLE_RECORDS : EVICTIONS);
  return true;
}

/**
 * No record of the set may go before its figures are acknowledged: so the dirty ones are reported at the next tick, also
 * those that other workers have spent in.
 */
export function noteFullSet(table: Table, set: usize): void {
  count(TABLE_FULL);
  for (let slot: u32 = 0; slot < RECORDS_PER_SET; slot++) {
    if (isDirty(recordAt(set, slot))) table.dirty.mark(SetCopy.index(), slot);
  }
  table.dirty.urgent = true;
}
