// The annex of a record: a second slot in its set, with the levels of its plan's further limits. It is made, and goes, with
// the record.
import {
  ANNEX_LEVELS_AT,
  ANNEX_RECORD_AT,
  ANNEX_REMAINDERS_AT,
  ANNEX_TAG_AT,
  RECORDS_PER_SET,
  RECORD_ANNEX,
  RECORD_BYTES,
} from "../../contract";
import { annexNumberOf, clearRecord, isRecord, recordAt, setAnnexNumber, setState, stateOf } from "./record";

// 80 bytes, little endian:
//
//   0            56               70      71               72    76          80
//   | 7 levels   | 7 remainders   | state | record's slot  | tag | lease end |
//
// The levels are of one moment, the record's `refilledAt`, and in the order of their limits' names; the tag says which
// limits these are (limits-tag.ts).

/** The record's annex, or 0: only where each names the other's slot. */
export function annexOf(set: usize, record: usize): usize {
  const number = annexNumberOf(record);
  if (number == 0 || number > RECORDS_PER_SET) return 0;
  const annex = recordAt(set, number - 1);
  return stateOf(annex) == RECORD_ANNEX && recordAt(set, load<u8>(annex, ANNEX_RECORD_AT)) == record ? annex : 0;
}

/** The record's annex, where it is of these limits, or 0. */
export function annexWith(set: usize, record: usize, tag: u32): usize {
  const annex = annexOf(set, record);
  return annex != 0 && annexTagOf(annex) == tag ? annex : 0;
}

/** Whether an annex's record is gone, or has another annex: its slot is free. */
export function isOrphan(set: usize, annex: usize): bool {
  const slot = load<u8>(annex, ANNEX_RECORD_AT);
  if (slot >= RECORDS_PER_SET) return true;
  const record = recordAt(set, slot);
  return !isRecord(record) || annexOf(set, record) != annex;
}

/** Makes a slot the record's annex: empty buckets of no limits. What was in the slot is gone. */
export function linkAnnex(set: usize, record: usize, annex: usize): void {
  clearRecord(annex);
  setState(annex, RECORD_ANNEX);
  store<u8>(annex, <u8>((record - set) / RECORD_BYTES), ANNEX_RECORD_AT);
  setAnnexNumber(record, <u32>((annex - set) / RECORD_BYTES) + 1);
}

/** The record has no annex any more. */
export function releaseAnnex(set: usize, record: usize): void {
  const annex = annexOf(set, record);
  if (annex != 0) clearRecord(annex);
  setAnnexNumber(record, 0);
}

/** Empties a record's slot, and its annex's. */
export function clearWithAnnex(set: usize, record: usize): void {
  if (isRecord(record)) releaseAnnex(set, record);
  clearRecord(record);
}

/** Which limits its levels are of (limits-tag.ts). */
// @ts-ignore: decorator
@inline
export function annexTagOf(annex: usize): u32 {
  return load<u32>(annex, ANNEX_TAG_AT);
}

// @ts-ignore: decorator
@inline
export function setAnnexTag(annex: usize, tag: u32): void {
  store<u32>(annex, tag, ANNEX_TAG_AT);
}

/** Address of the levels: i64, from the first further limit on. */
// @ts-ignore: decorator
@inline
export function annexLevelsOf(annex: usize): usize {
  return annex + ANNEX_LEVELS_AT;
}

/** Address of their remainders: u16. */
// @ts-ignore: decorator
@inline
export function annexRemaindersOf(annex: usize): usize {
  return annex + ANNEX_REMAINDERS_AT;
}
