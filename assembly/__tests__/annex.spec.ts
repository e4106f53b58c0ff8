// The annex of a record: whose it is, and when its slot and its record's make room.
import { RECORDS_PER_SET, RECORD_ANNEX, RECORD_ENDED, SET_BYTES, TOKEN_SESSION_ID_AT } from "../contract";
import * as annex from "../domain/table/annex";
import * as record from "../domain/table/record";
import { findRecord, isDirty, slotForNewEntry } from "../domain/table/set";
import { NOW_US, link, put, set, tokenOf } from "./annexed-set";

const SECOND: u64 = 1000000;
const UNTOUCHED_US: u64 = 250000;

/** A record and its annex in the slots 2n and 2n + 1. */
function fillWithPairs(idleUs: u64): void {
  for (let pair: u32 = 0; pair < RECORDS_PER_SET / 2; pair++) {
    put(pair * 2, pair, idleUs);
    link(pair * 2, pair * 2 + 1);
  }
}

function slotFor(except: usize = 0): usize {
  return slotForNewEntry(set, NOW_US, UNTOUCHED_US, except);
}

describe("the annex of a record", () => {
  beforeEach(() => memory.fill(set, 0, SET_BYTES));

  test("an annex is its record's only where each names the other's slot", () => {
    const own = put(4, 1);
    const other = put(5, 2);
    expect(annex.annexOf(set, own)).toBe(0);
    const at = link(4, 9);
    expect(annex.annexOf(set, own)).toBe(at);
    expect(annex.isOrphan(set, at)).toBe(false);
    record.setAnnexNumber(other, 10);
    expect(annex.annexOf(set, other)).toBe(0);
    record.setAnnexNumber(own, 0);
    expect(annex.annexOf(set, own)).toBe(0);
    expect(annex.isOrphan(set, at)).toBe(true);
    record.setAnnexNumber(own, 200);
    expect(annex.annexOf(set, own)).toBe(0);
  });

  test("an annex is no record, whatever its levels spell", () => {
    put(4, 1);
    const at = link(4, 9);
    memory.copy(at + 2, record.recordSessionIdOf(put(6, 77)), 16);
    record.clearRecord(record.recordAt(set, 6));
    expect(findRecord(set, tokenOf(77) + TOKEN_SESSION_ID_AT)).toBe(0);
    store<u32>(at, 5, 36);
    expect(isDirty(at)).toBe(false);
    expect(record.isRecord(at)).toBe(false);
    expect(record.stateOf(at)).toBe(RECORD_ANNEX);
  });

  test("an annex never makes room alone, and its record makes room for two", () => {
    fillWithPairs(0);
    expect(slotFor()).toBe(0);
    put(6, 3, 9 * SECOND);
    link(6, 7);
    const first = slotFor();
    expect(first).toBe(record.recordAt(set, 6));
    annex.clearWithAnnex(set, first);
    put(6, 99);
    expect(slotFor()).toBe(record.recordAt(set, 7));
  });

  test("the slot of an annex whose record is gone or has another annex is free", () => {
    fillWithPairs(0);
    record.clearRecord(record.recordAt(set, 8));
    put(8, 44);
    expect(slotFor()).toBe(record.recordAt(set, 9));
  });

  test("a session's own record never goes for its annex", () => {
    fillWithPairs(0);
    const own = put(6, 3, 9 * SECOND);
    record.clearRecord(record.recordAt(set, 7));
    put(7, 50);
    expect(slotFor(own)).toBe(0);
    put(12, 51, 2 * SECOND);
    link(12, 13);
    expect(slotFor(own)).toBe(record.recordAt(set, 12));
  });

  test("an ended record gives its annex back, and the slot is empty", () => {
    const own = put(4, 1);
    const at = link(4, 9);
    record.setState(own, RECORD_ENDED);
    annex.releaseAnnex(set, own);
    expect(record.isEmpty(at)).toBe(true);
    expect(record.annexNumberOf(own)).toBe(0);
  });
});
