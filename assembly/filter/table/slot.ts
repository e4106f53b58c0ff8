// A slot in a set for a new entry, and for its annex: finds it, and counts the new entry and the evictions.
import { ANSWER_VALID_MS, RECORDS_PER_SET } from "../../contract";
import { clearWithAnnex, linkAnnex } from "../../domain/table/annex";
import { isRecord, recordAt } from "../../domain/table/record";
import { isDirty, slotForNewEntry } from "../../domain/table/set";
import { EVICTIONS, TABLE_FULL, TABLE_RECORDS, count, countMany } from "../vm/counters";
import { Table } from "../state/table";
import { SetCopy } from "./set-copy";

const UNTOUCHED_US: u64 = <u64>ANSWER_VALID_MS * 1000;

/** In the copy of the set that is being changed. */
let added: u32 = 0;
let evicted: u32 = 0;

/** A copy of a set is about to be changed: it has no new entry yet. */
export function startSlots(): void {
  added = 0;
  evicted = 0;
}

/** The slot that a new entry takes, emptied, or 0. `mayEvict`: whether a live session may go for it. */
export function findSlot(set: usize, nowUs: u64, mayEvict: bool): usize {
  const slot = slotForNewEntry(set, nowUs, mayEvict ? UNTOUCHED_US : u64.MAX_VALUE);
  if (slot == 0) return 0;
  added++;
  empty(set, slot);
  return slot;
}

/** Gives a record that has none an annex, of no limits yet. Returns 0 if there is no slot for it. */
export function addAnnex(set: usize, record: usize, nowUs: u64): usize {
  const slot = slotForNewEntry(set, nowUs, UNTOUCHED_US, record);
  if (slot == 0) return 0;
  empty(set, slot);
  linkAnnex(set, record, slot);
  return slot;
}

function empty(set: usize, slot: usize): void {
  if (isRecord(slot)) evicted++;
  clearWithAnnex(set, slot);
}

/** Counts what has changed once the set has been written. True if there is a new entry. */
export function countSlots(): bool {
  if (added != evicted) countMany(TABLE_RECORDS, <u64>added - <u64>evicted);
  if (evicted != 0) countMany(EVICTIONS, evicted);
  return added != 0;
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
