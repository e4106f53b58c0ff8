// The pairs of records and annexes in a set of the table: each names the other's slot, and an annex never outlives its
// record's end.
import {
  ANNEX_RECORD_AT,
  FLAG_UNCONFIRMED,
  RECORD_ANNEX,
  RECORD_ANNEX_AT,
  RECORD_BYTES,
  RECORD_EMPTY,
  RECORD_ENDED,
  RECORD_FLAGS_AT,
  RECORD_STATE_AT,
  RECORDS_PER_SET,
} from "../../../assembly/contract.js";
import { fail } from "./violation.js";

/** Throws a Violation where a set that was written has anything but pairs. */
export function expectPairs(edge: string, set: Buffer): void {
  for (let slot = 0; slot < RECORDS_PER_SET; slot++) {
    const state = byteOf(set, slot, RECORD_STATE_AT);
    if (state === RECORD_EMPTY) continue;
    if (state === RECORD_ANNEX) expectRecord(edge, set, slot);
    else expectAnnex(edge, set, slot);
  }
}

function expectRecord(edge: string, set: Buffer, slot: number): void {
  const record = byteOf(set, slot, ANNEX_RECORD_AT);
  const state = record < RECORDS_PER_SET ? byteOf(set, record, RECORD_STATE_AT) : RECORD_EMPTY;
  if (state === RECORD_EMPTY || state === RECORD_ANNEX) fail("annex", `${edge}: slot ${slot} is an annex of no record`);
  if (byteOf(set, record, RECORD_ANNEX_AT) !== slot + 1)
    fail("annex", `${edge}: the record in ${record} has another annex`);
}

function expectAnnex(edge: string, set: Buffer, slot: number): void {
  const number = byteOf(set, slot, RECORD_ANNEX_AT);
  if (number === 0) return;
  const isAnnex = number <= RECORDS_PER_SET && byteOf(set, number - 1, RECORD_STATE_AT) === RECORD_ANNEX;
  if (!isAnnex || byteOf(set, number - 1, ANNEX_RECORD_AT) !== slot)
    fail("annex", `${edge}: the record in slot ${slot} names an annex that is not its own`);
  const isEnded = byteOf(set, slot, RECORD_STATE_AT) === RECORD_ENDED;
  if (isEnded && (byteOf(set, slot, RECORD_FLAGS_AT) & FLAG_UNCONFIRMED) === 0)
    fail("annex", `${edge}: the record in slot ${slot} has ended for good and has an annex`);
}

function byteOf(set: Buffer, slot: number, at: number): number {
  return set.readUInt8(slot * RECORD_BYTES + at);
}
