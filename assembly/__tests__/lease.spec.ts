// The annex of a record under scope fleet: when a lease lives, which ask counts, and what was refused.
import { ANNEX_ASKED_AT_AT, LEASE_TTL_MS, RECORD_ANNEX, SET_BYTES } from "../contract";
import * as annex from "../domain/table/annex";
import * as lease from "../domain/table/lease";
import * as record from "../domain/table/record";
import { NOW_US, link, put, set } from "./annexed-set";

const MS: u64 = 1000;
const DAY_US: u64 = 86400000000;
/** 2^32 ms: after so long a time of the annex stands for another one. */
const ROUND_US: u64 = 4294967296000;

function taken(): usize {
  lease.extendLease(put(0, 7), link(0, 1), NOW_US, LEASE_TTL_MS, NOW_US);
  return annexAt();
}

function annexAt(): usize {
  return record.recordAt(set, 1);
}

function leftMs(afterUs: u64): u32 {
  return lease.leaseLeftMs(record.recordAt(set, 0), annexAt(), NOW_US + afterUs);
}

describe("a lease in an annex", () => {
  beforeEach(() => memory.fill(set, 0, SET_BYTES));

  test("a lease lives up to its end, counted from when it was asked for", () => {
    taken();
    expect(leftMs(0)).toBe(2000);
    expect(leftMs(1999 * MS)).toBe(1);
    expect(leftMs(2000 * MS)).toBe(0);
    expect(leftMs(40 * DAY_US)).toBe(0);
  });

  test("a lease of 49 days ago is not taken for one that lives", () => {
    taken();
    for (let ms: u64 = 0; ms < 4000; ms += 500) expect(leftMs(ROUND_US + ms * MS - 2000 * MS)).toBe(0);
  });

  test("a lease that is taken never shortens one that lives", () => {
    const at = taken();
    lease.extendLease(record.recordAt(set, 0), at, NOW_US, 100, NOW_US + 50 * MS);
    expect(leftMs(50 * MS)).toBe(1950);
    lease.extendLease(record.recordAt(set, 0), at, NOW_US + 500 * MS, 2000, NOW_US + 600 * MS);
    expect(leftMs(600 * MS)).toBe(1900);
    lease.extendLease(record.recordAt(set, 0), at, NOW_US, 1000, NOW_US + 9000 * MS);
    expect(leftMs(9000 * MS)).toBe(0);
  });

  test("what is left of a lease that is over goes, and a debt stays", () => {
    const at = taken();
    const owner = record.recordAt(set, 0);
    record.setLevelPico(owner, 5);
    store<i64>(annex.annexLevelsOf(at), -3);
    store<i64>(annex.annexLevelsOf(at), 9, 48);
    lease.dropOverLease(owner, at, NOW_US + 1999 * MS);
    expect(record.levelPicoOf(owner)).toBe(5);
    lease.dropOverLease(owner, at, NOW_US + 2000 * MS);
    expect(record.levelPicoOf(owner)).toBe(0);
    expect(load<i64>(annex.annexLevelsOf(at))).toBe(-3);
    expect(load<i64>(annex.annexLevelsOf(at), 48)).toBe(0);
  });

  test("an ask has a number, and which was taken last follows from how many are pending", () => {
    const at = taken();
    lease.setAsk(at, 4, 4);
    expect(lease.appliedOf(at)).toBe(4);
    expect(lease.markAsk(at, NOW_US)).toBe(5);
    expect(lease.markAsk(at, NOW_US)).toBe(6);
    expect(lease.appliedOf(at)).toBe(4);
    lease.setApplied(at);
    expect(lease.appliedOf(at)).toBe(6);
    for (let i = 0; i < 300; i++) lease.markAsk(at, NOW_US);
    expect(lease.pendingOf(at)).toBe(255);
    expect(lease.appliedOf(at)).toBe(51);
  });

  test("an answer is waited for a second, across the turn of its clock", () => {
    const at = taken();
    const turnUs: u64 = 65536000 * 80;
    for (let us = turnUs - 500 * MS; us < turnUs + 500 * MS; us += 100 * MS) {
      lease.markAsk(at, us);
      expect(lease.isAsking(at, us + 999 * MS)).toBe(true);
      expect(lease.isAsking(at, us + 1000 * MS)).toBe(false);
      lease.setApplied(at);
      expect(lease.isAsking(at, us)).toBe(false);
    }
  });

  test("another number that counts is gone on from, and what was taken stays what it was", () => {
    const at = taken();
    lease.setAsk(at, 4, 4);
    lease.markAsk(at, NOW_US);
    lease.skipTo(at, 9, NOW_US);
    expect(lease.askOf(at)).toBe(9);
    expect(lease.appliedOf(at)).toBe(4);
    expect(lease.isAsking(at, NOW_US)).toBe(false);
  });

  test("a refusal holds until its time, for what costs as much", () => {
    const at = taken();
    const owner = record.recordAt(set, 0);
    expect(lease.refusedBucketOf(owner, at, NOW_US)).toBe(-1);
    lease.noteAsked(at, NOW_US);
    lease.setRefusal(at, 2, 70000, 120, NOW_US);
    expect(lease.refusedBucketOf(owner, at, NOW_US + 119 * MS)).toBe(2);
    expect(lease.refusedCostOf(at)).toBe(65535);
    expect(lease.retryInMs(at, NOW_US + 20 * MS)).toBe(100);
    expect(lease.refusedBucketOf(owner, at, NOW_US + 120 * MS)).toBe(-1);
    expect(lease.refusedBucketOf(owner, at, NOW_US + ROUND_US)).toBe(-1);
    lease.setRefusal(at, 0, 1, 0, NOW_US);
    expect(lease.retryInMs(at, NOW_US)).toBe(50);
    lease.clearRefusal(at);
    expect(lease.refusedBucketOf(owner, at, NOW_US)).toBe(-1);
  });

  test("a refusal of a day is asked about again 5 s after it was", () => {
    const at = taken();
    const owner = record.recordAt(set, 0);
    lease.noteAsked(at, NOW_US);
    lease.setRefusal(at, 0, 1, 86400000, NOW_US + 20 * MS);
    expect(lease.refusedBucketOf(owner, at, NOW_US + 4999 * MS)).toBe(0);
    expect(lease.refusedBucketOf(owner, at, NOW_US + 5000 * MS)).toBe(-1);
  });

  test("what an annex of scope edge has in these bytes is no lease", () => {
    const at = taken();
    memory.fill(at + 56, 0xff, 14);
    lease.clearLease(at);
    expect(leftMs(0)).toBe(0);
    expect(lease.askOf(at)).toBe(0);
    expect(load<u16>(at, ANNEX_ASKED_AT_AT)).toBe(0);
    expect(record.stateOf(at)).toBe(RECORD_ANNEX);
    expect(annex.annexOf(set, record.recordAt(set, 0))).toBe(at);
  });
});
