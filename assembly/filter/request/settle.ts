// Settling: what a request reserved becomes what it really cost, in one step on the session's record as it then is.
import { RECORD_BYTES } from "../../contract";
import { ON_MISSING_REFUND } from "../../domain/policy/settle-model";
import { isLive, isPastEnd, noteConsumed, recordPlanIdOf, revOf } from "../../domain/table/record";
import { findRecord } from "../../domain/table/set";
import { sessionIdOf } from "../../domain/token/token";
import { USAGE_ABSENT, USAGE_FOUND, USAGE_INVALID, USAGE_TOO_LONG } from "../../domain/usage/outcome";
import { COST_TOO_LARGE, settledCost } from "../../domain/usage/settled-cost";
import { monotonicUs } from "../../host/clock";
import { sharedCas, sharedValue } from "../../host/shared-data";
import { OK } from "../../host/status";
import { PLAN_TOKENS } from "../state/plan-counts";
import { Epoch } from "../state/epoch";
import { addSettled, leaseNoteFor } from "../state/lease-notes";
import { Root, rootInSlot } from "../state/roots";
import { SettleNote, closeNote } from "../state/settle-notes";
import { MAX_CAS_TRIES, lastSetIndex, readSet, writeSet } from "../table/session-table";
import { CAS_EXHAUSTED, CAS_RETRIES, count } from "../vm/counters";
import {
  OVERDRAWN,
  REFUNDED,
  SETTLED,
  SETTLEMENT_COMPRESSED,
  SETTLEMENT_DONE,
  SETTLEMENT_ENDED,
  SETTLEMENT_INVALID,
  SETTLEMENT_NO_LEASE_NOTE,
  SETTLEMENT_NO_RECORD,
  SETTLEMENT_NO_VALUE,
  SETTLEMENT_OTHER_LIMITS,
  SETTLEMENT_TOO_LONG,
  countSettled,
} from "../vm/settle-counters";
import { forgetDenial } from "./recent-denials";
import { settleInCopy } from "./settle-levels";

/** Stands as an outcome where 32 writes were lost: the note is kept, and settled with a later tick. */
const CONTENDED: u32 = 0xffffffff;

/** Settles by what was found, and gives the note back. */
export function settleNote(note: SettleNote): void {
  const rule = note.rule;
  let outcome = outcomeOf(note);
  let cost = note.reserved;
  if (outcome == SETTLEMENT_DONE) {
    const found = settledCost(note.micro, rule.timesMicro);
    if (found == COST_TOO_LARGE) outcome = SETTLEMENT_INVALID;
    else cost = <u32>found;
  } else if (outcome == SETTLEMENT_NO_VALUE && rule.onMissing == ON_MISSING_REFUND) {
    cost = 0;
  }
  const root = rootInSlot(note.rootSlot);
  const written = root == null ? SETTLEMENT_NO_RECORD : write(root, note, cost);
  if (written == CONTENDED) {
    note.isOver = true;
    return;
  }
  countSettled(written == SETTLEMENT_DONE ? outcome : written, 1);
  if (written == SETTLEMENT_DONE) countTokens(note.reserved, cost);
  if (cost != note.reserved) forgetDenial(note.token);
  closeNote(note.contextId);
}

function outcomeOf(note: SettleNote): u32 {
  if (note.isCompressed) return SETTLEMENT_COMPRESSED;
  switch (note.found) {
    case USAGE_FOUND:
      return SETTLEMENT_DONE;
    case USAGE_INVALID:
      return SETTLEMENT_INVALID;
    case USAGE_TOO_LONG:
      return SETTLEMENT_TOO_LONG;
    case USAGE_ABSENT:
    default:
      return SETTLEMENT_NO_VALUE;
  }
}

function countTokens(reserved: u32, cost: u32): void {
  countSettled(SETTLED, cost);
  if (cost < reserved) countSettled(REFUNDED, reserved - cost);
  else countSettled(OVERDRAWN, cost - reserved);
}

/** @returns SETTLEMENT_DONE, or why nothing moved, or CONTENDED */
function write(root: Root, note: SettleNote, cost: u32): u32 {
  const isOwn = note.limit == 0;
  // The level stays as it is, and `consumed` counts only what is spent from the plan's own bucket.
  if (!isOwn && cost == note.reserved) return SETTLEMENT_DONE;
  const table = root.table;
  const epoch = root.epoch;
  const id = sessionIdOf(note.token);
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const nowUs = monotonicUs();
    if (readSet(table, id) != OK) return SETTLEMENT_NO_RECORD;
    const set = sharedValue();
    const record = findRecord(set, id);
    if (record == 0) return SETTLEMENT_NO_RECORD;
    const planIndex = epoch.policy.planIndexById(recordPlanIdOf(record));
    const outcome = settleRecord(epoch, set, record, planIndex, note, cost, nowUs);
    if (outcome != SETTLEMENT_DONE) {
      if (!isOwn) return outcome;
      // Then the reservation was the cost: it is consumed now.
      noteConsumed(record, note.reserved);
    }
    const rev = revOf(record);
    if (writeSet(set, sharedCas()) == OK) {
      table.dirty.mark(lastSetIndex(), <u32>((record - set) / RECORD_BYTES));
      const consumed = outcome == SETTLEMENT_DONE ? cost : note.reserved;
      if (isOwn && planIndex >= 0) epoch.planCounts.count(PLAN_TOKENS, planIndex, consumed);
      return outcome == SETTLEMENT_DONE ? noteLease(root, note, planIndex, cost, rev, nowUs) : outcome;
    }
    count(CAS_RETRIES);
  }
  count(CAS_EXHAUSTED);
  return CONTENDED;
}

/**
 * What a reservation from a lease did not need, or what it lacked, is said with this worker's next ask: with one of its own
 * where nobody uses the session any more. @returns what came of the settlement
 */
function noteLease(root: Root, note: SettleNote, planIndex: u32, cost: u32, rev: u32, nowUs: u64): u32 {
  const limits = root.epoch.limits;
  if (limits === null || !limits.isFleet(planIndex) || cost == note.reserved) return SETTLEMENT_DONE;
  const tag = limits.tagOf(planIndex);
  const found = leaseNoteFor(root.table.hash, note.token, note.planId, tag, rev, nowUs);
  // A debt stands in the table: whichever worker asks next says it.
  if (found == null) return cost > note.reserved ? SETTLEMENT_DONE : SETTLEMENT_NO_LEASE_NOTE;
  found.usedAtUs = nowUs;
  found.isIdle = false;
  if (cost < note.reserved) addSettled(found, note.limit, note.reserved - cost);
  return SETTLEMENT_DONE;
}

/** @returns SETTLEMENT_DONE, or why the copy of the record is as it was */
function settleRecord(
  epoch: Epoch,
  set: usize,
  record: usize,
  planIndex: i32,
  note: SettleNote,
  cost: u32,
  nowUs: u64,
): u32 {
  if (!isLive(record) || isPastEnd(record, nowUs)) return SETTLEMENT_ENDED;
  if (planIndex < 0 || recordPlanIdOf(record) != note.planId) return SETTLEMENT_OTHER_LIMITS;
  const settled = settleInCopy(epoch, set, record, planIndex, note, cost, nowUs);
  return settled ? SETTLEMENT_DONE : SETTLEMENT_OTHER_LIMITS;
}
