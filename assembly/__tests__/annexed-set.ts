// A set of the session table with records and their annexes, for the tests of both.
import { RECORD_LIVE, TOKEN_BYTES } from "../contract";
import * as annex from "../domain/table/annex";
import * as record from "../domain/table/record";

export const NOW_US: u64 = 5000000000;

export const set: usize = memory.data(1280, 8);
const token: usize = memory.data(36, 8);

/** The decoded token of that session. */
export function tokenOf(session: u32): usize {
  memory.fill(token, 0x11, TOKEN_BYTES);
  store<u64>(token, session, 10);
  return token;
}

/** A live record of that session, idle for so long. */
export function put(slot: u32, session: u32, idleUs: u64 = 0): usize {
  const at = record.recordAt(set, slot);
  record.clearRecord(at);
  record.setRecordToken(at, tokenOf(session));
  record.setState(at, RECORD_LIVE);
  record.setRefilledAtUs(at, NOW_US - idleUs);
  record.setEndsAtS(at, 9000);
  return at;
}

/** Makes the one slot the annex of the record in the other. */
export function link(recordSlot: u32, annexSlot: u32): usize {
  const at = record.recordAt(set, annexSlot);
  annex.linkAnnex(set, record.recordAt(set, recordSlot), at);
  return at;
}
