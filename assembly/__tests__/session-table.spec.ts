// Records and sets of the session table: fields, look-up, and the order of eviction.
import {
  FLAG_BUDGET_SPENT,
  FLAG_PROVISIONAL,
  FLAG_REFRESH,
  FLAG_UNCONFIRMED,
  RECORDS_PER_SET,
  RECORD_BYTES,
  RECORD_EMPTY,
  RECORD_ENDED,
  RECORD_LIVE,
  SET_BYTES,
} from "../contract";
import * as record from "../domain/table/record";
import { recordAt } from "../domain/table/record";
import { findRecord, isDirty, slotForNewEntry } from "../domain/table/set";
import { hexAt } from "./vectors";

const SECOND: u64 = 1000000;
const NOW_US: u64 = 5000 * SECOND;
const NOW_S: u32 = 5000;
const UNTOUCHED_US: u64 = 250000;

const set = memory.data(1280);
const token = memory.data(36);

/** The token bytes of a session that its number tells from others. */
function tokenOfSession(session: u32): usize {
  memory.fill(token, 0x11, 36);
  store<u64>(token, session, 10);
  return token;
}

/** A live record of a session of that number, idle for so long and far from its end. */
function put(slot: u32, session: u32, idleUs: u64): usize {
  const at = recordAt(set, slot);
  record.clearRecord(at);
  record.setRecordToken(at, tokenOfSession(session));
  record.setState(at, RECORD_LIVE);
  record.setRefilledAtUs(at, NOW_US - idleUs);
  record.setEndsAtS(at, NOW_S + 3600);
  return at;
}

function find(session: u32): usize {
  return findRecord(set, tokenOfSession(session) + 2);
}

function slotFor(): usize {
  return slotForNewEntry(set, NOW_US, UNTOUCHED_US);
}

/** A full set of live sessions that have all spent something that nobody has taken yet. */
function fillWithDirtySessions(): void {
  for (let slot: u32 = 0; slot < RECORDS_PER_SET; slot++) record.setRev(put(slot, slot, 1000 * SECOND), 7);
}

/** The control plane takes what the record in this slot says. */
function acknowledge(slot: u32): usize {
  const at = recordAt(set, slot);
  record.setAckedRev(at, record.revOf(at));
  return at;
}

describe("session table: a record", () => {
  test("a record keeps every field beside the others", () => {
    const at = put(0, 1, 0);
    record.setRev(at, 0xa1a2a3a4);
    record.setLevelPico(at, -2);
    record.setRefilledAtUs(at, 0xb1b2b3b4b5b6b7b8);
    record.setConsumed(at, 0xc1c2c3c4c5c6c7c8);
    record.setEndsAtS(at, 0xd1d2d3d4);
    record.setRecordPlanId(at, 0xe1e2);
    record.setState(at, RECORD_ENDED);
    record.setFlags(at, 0x0f);
    record.setAckedRev(at, 0xf1f2f3f4);
    store<u16>(record.remainderAtOf(at), 0x9192);
    record.setAnnexNumber(at, 0x93);
    expect(hexAt(at + 36, 44)).toBe(
      "a4a3a2a1" +
        "feffffffffffffff" +
        "b8b7b6b5b4b3b2b1" +
        "c8c7c6c5c4c3c2c1" +
        "d4d3d2d1" +
        "e2e1" +
        "02" +
        "0f" +
        "f4f3f2f1" +
        "92919300",
    );
    expect(hexAt(at, 36)).toBe(hexAt(tokenOfSession(1), 36));
    expect(record.revOf(at)).toBe(0xa1a2a3a4);
    expect(record.levelPicoOf(at)).toBe(-2);
    expect(record.refilledAtUsOf(at)).toBe(0xb1b2b3b4b5b6b7b8);
    expect(record.consumedOf(at)).toBe(0xc1c2c3c4c5c6c7c8);
    expect(record.endsAtSOf(at)).toBe(0xd1d2d3d4);
    expect(record.recordPlanIdOf(at)).toBe(0xe1e2);
    expect(record.stateOf(at)).toBe(RECORD_ENDED);
    expect(record.flagsOf(at)).toBe(0x0f);
    expect(record.ackedRevOf(at)).toBe(0xf1f2f3f4);
    expect(record.annexNumberOf(at)).toBe(0x93);
  });

  test("a record sets and clears one flag without the others", () => {
    const at = put(0, 1, 0);
    record.setFlag(at, FLAG_PROVISIONAL);
    record.setFlag(at, FLAG_UNCONFIRMED);
    record.setFlag(at, FLAG_UNCONFIRMED);
    expect(record.isProvisional(at)).toBe(true);
    expect(record.hasFlag(at, FLAG_UNCONFIRMED)).toBe(true);
    expect(record.hasFlag(at, FLAG_REFRESH)).toBe(false);
    expect(record.hasFlag(at, FLAG_BUDGET_SPENT)).toBe(false);
    record.clearFlag(at, FLAG_PROVISIONAL);
    expect(record.flagsOf(at)).toBe(FLAG_UNCONFIRMED);
  });

  test("a record is past its end from that second on", () => {
    const at = put(0, 1, 0);
    record.setEndsAtS(at, 100);
    expect(record.isPastEnd(at, 99999999)).toBe(false);
    expect(record.isPastEnd(at, 100000000)).toBe(true);
    expect(record.isPastEnd(at, 101000000)).toBe(true);
  });

  test("a record is empty, live or ended", () => {
    const at = put(0, 1, 0);
    expect(record.isLive(at) && !record.isEmpty(at)).toBe(true);
    expect(record.stateOf(at)).toBe(RECORD_LIVE);
    record.setState(at, RECORD_ENDED);
    expect(!record.isLive(at) && !record.isEmpty(at)).toBe(true);
    expect(record.stateOf(at)).toBe(RECORD_ENDED);
    record.clearRecord(at);
    expect(!record.isLive(at) && record.isEmpty(at)).toBe(true);
    expect(record.stateOf(at)).toBe(RECORD_EMPTY);
    expect(hexAt(at, RECORD_BYTES)).toBe("00".repeat(RECORD_BYTES));
  });
});

describe("session table: finding a session", () => {
  beforeEach(fillWithDirtySessions);

  test("a lookup finds the record of that id in any slot, and no other", () => {
    for (let slot: u32 = 0; slot < RECORDS_PER_SET; slot++) expect(find(slot)).toBe(recordAt(set, slot));
    expect(find(99)).toBe(0);
  });

  test("a re-issued token finds the same record, since the id alone counts", () => {
    store<u8>(tokenOfSession(3), 0x77, 30);
    expect(findRecord(set, token + 2)).toBe(recordAt(set, 3));
    store<u8>(token, 0x77, 17);
    expect(findRecord(set, token + 2)).toBe(0);
  });

  test("a lookup finds records that ended or expired, but never an empty one", () => {
    record.setState(recordAt(set, 4), RECORD_ENDED);
    record.setEndsAtS(recordAt(set, 5), NOW_S - 1);
    record.setState(recordAt(set, 6), RECORD_EMPTY);
    expect(find(4)).toBe(recordAt(set, 4));
    expect(find(5)).toBe(recordAt(set, 5));
    expect(find(6)).toBe(0);
  });

  test("a lookup in a set of zeros finds nothing, not even the id of zeros", () => {
    memory.fill(set, 0, SET_BYTES);
    memory.fill(token, 0, 36);
    expect(findRecord(set, token + 2)).toBe(0);
  });
});

describe("session table: making room for a new entry", () => {
  beforeEach(fillWithDirtySessions);

  test("a dirty session is never evicted, whatever became of it", () => {
    record.setState(recordAt(set, 4), RECORD_ENDED);
    record.setEndsAtS(recordAt(set, 9), NOW_S);
    expect(slotFor()).toBe(0);
    acknowledge(4);
    expect(slotFor()).toBe(recordAt(set, 4));
    acknowledge(9);
    expect(slotFor()).toBe(recordAt(set, 9));
  });

  test("a record that is one spend ahead of its acknowledgement stays", () => {
    record.setRev(acknowledge(3), 8);
    expect(slotFor()).toBe(0);
  });

  test("an empty set gives its first slot", () => {
    memory.fill(set, 0, SET_BYTES);
    expect(slotFor()).toBe(recordAt(set, 0));
  });

  test("an empty slot is taken first, then an expired, an ended and an idle record", () => {
    acknowledge(2);
    expect(slotFor()).toBe(recordAt(set, 2));
    record.setState(acknowledge(5), RECORD_ENDED);
    expect(slotFor()).toBe(recordAt(set, 5));
    record.setEndsAtS(acknowledge(9), NOW_S);
    expect(slotFor()).toBe(recordAt(set, 9));
    record.clearRecord(recordAt(set, 14));
    expect(slotFor()).toBe(recordAt(set, 14));
  });

  test("the longest idle record is evicted first", () => {
    put(3, 3, 1005 * SECOND);
    put(7, 7, 1009 * SECOND);
    put(11, 11, 1007 * SECOND);
    expect(slotFor()).toBe(recordAt(set, 7));
  });

  test("a record touched within the acquire timeout stays", () => {
    put(3, 3, UNTOUCHED_US);
    expect(slotFor()).toBe(0);
    put(3, 3, UNTOUCHED_US + 1);
    expect(slotFor()).toBe(recordAt(set, 3));
  });

  test("a provisional session stays past its end, until the control plane is asked", () => {
    const at = acknowledge(3);
    record.setFlag(at, FLAG_PROVISIONAL);
    expect(slotFor()).toBe(0);
    record.setEndsAtS(at, NOW_S);
    expect(slotFor()).toBe(0);
    record.clearFlag(at, FLAG_PROVISIONAL);
    expect(slotFor()).toBe(at);
  });

  test("a record written after this worker read its clock counts as just used", () => {
    record.setRefilledAtUs(put(3, 3, 0), NOW_US + 10);
    expect(slotFor()).toBe(0);
  });

  test("a report names spends that were not acknowledged, and no provisional record", () => {
    expect(isDirty(recordAt(set, 3))).toBe(true);
    record.setState(recordAt(set, 3), RECORD_ENDED);
    expect(isDirty(recordAt(set, 3))).toBe(true);
    record.setFlag(recordAt(set, 3), FLAG_PROVISIONAL);
    expect(isDirty(recordAt(set, 3))).toBe(false);
    expect(isDirty(acknowledge(4))).toBe(false);
    record.setState(recordAt(set, 5), RECORD_EMPTY);
    expect(isDirty(recordAt(set, 5))).toBe(false);
  });
});
