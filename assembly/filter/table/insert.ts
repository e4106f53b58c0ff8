// Writes an answer of the control plane, or an unverified admission, into the session table: each one atomic step.
import { ANSWER_VALID_MS, FLAG_LIMITS_UNCONFIRMED, FLAG_UNCONFIRMED, RECORD_BYTES, SCOPE_FLEET } from "../../contract";
import { ANSWER_LIVE, ANSWER_REVOKED, AcquireAnswer } from "../../domain/edge/acquire-answer";
import { confirmRecord, endRecord, fillRecord, writeUnverified } from "../../domain/edge/answered-record";
import { fromMicrotokens, toPico } from "../../domain/table/bucket";
import { annexOf, annexTagOf, releaseAnnex } from "../../domain/table/annex";
import { dropOverLease } from "../../domain/table/lease";
import { hasFlag, isLive, isPastEnd, isProvisional, refilledAtUsOf } from "../../domain/table/record";
import { findRecord, isDirty } from "../../domain/table/set";
import { sessionIdOf } from "../../domain/token/token";
import { monotonicUs } from "../../host/clock";
import { CAS_EXHAUSTED, CAS_RETRIES, RESTORES, count } from "../vm/counters";
import { isUpToDate, raiseSeen } from "./log-cursor";
import { putLimits, wouldLoseLevels } from "./limits";
import { countSlots, findSlot, noteFullSet, startSlots } from "./slot";
import { Root } from "../state/roots";
import { isFleetTag } from "../state/tag-names";
import { learnTag } from "./shared-tags";
import { Table } from "../state/table";
import { MAX_CAS_TRIES, createSet } from "./session-table";
import { SetCopy } from "./set-copy";

// The results of writing.
/** The table holds what the answer says, or what overrules it. */
export const WRITTEN: u32 = 0;
/** The session has ended, whatever the answer says. */
export const SESSION_ENDED: u32 = 1;
/** The answer came too late, the record that it was about is gone, or has what the ask did not say: it does not count. */
export const ANSWER_STALE: u32 = 2;
/** The set is full and no record may go: there is no slot for a record, or for the annex of one that is there. */
export const SET_FULL: u32 = 3;
export const INSERT_CONTENDED: u32 = 4;

/**
 * Writes an answer of the control plane.
 * @param mayInsert false if the ask was sent while a record stood: then it never makes a new one
 * @param askedAtUs clock before the read that led to the ask; after ANSWER_VALID_MS the answer counts for nothing
 * @param saidTag the limits whose levels the ask said
 */
export function writeAnswer(
  root: Root,
  token: usize,
  answer: AcquireAnswer,
  mayInsert: bool,
  askedAtUs: u64,
  saidTag: u32,
): u32 {
  const table = root.table;
  const live = answer.state == ANSWER_LIVE;
  // `seen` is raised before the write, as by the leader: a worker that inserts meanwhile finds its answer out of date.
  if (answer.state == ANSWER_REVOKED) raiseSeen(table, answer.log, answer.cursor);
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const nowUs = monotonicUs();
    const set = SetCopy.ofSession(table, sessionIdOf(token));
    if (set == 0) {
      if (!mayInsert) return live ? ANSWER_STALE : SESSION_ENDED;
      createSet(table, sessionIdOf(token));
      continue;
    }
    const record = findRecord(set, sessionIdOf(token));
    if (live) {
      if (record == 0 && !mayInsert) return ANSWER_STALE;
      // After the read of the set: an invalidation that the edge learns of later makes the set's cas fail.
      if (!isUpToDate(table, answer.log, answer.cursor)) return ANSWER_STALE;
      // A worker that slept between the read and the write would write over what it does not know. Only a record that
      // was there all the while takes its answer; a provisional one was made after another had gone.
      if ((mayInsert || isProvisional(record)) && isLate(askedAtUs)) return ANSWER_STALE;
      if (record != 0 && wouldLoseLevels(root.epoch, set, record, answer.planId, saidTag)) return ANSWER_STALE;
    }
    startSlots();
    const outcome =
      record != 0
        ? change(root, set, record, token, answer, nowUs, askedAtUs)
        : insert(root, set, token, answer, mayInsert, nowUs, askedAtUs);
    if (outcome == SET_FULL) noteFullSet(table, set);
    // A record that is there takes its answer all the same.
    if (outcome == SET_FULL && record == 0) return outcome;
    if (SetCopy.write(table)) {
      markDirty(table, set, token);
      if (countSlots() && live && isRestored(root, answer)) count(RESTORES);
      return outcome;
    }
    count(CAS_RETRIES);
  }
  count(CAS_EXHAUSTED);
  return INSERT_CONTENDED;
}

/**
 * Admits a session unverified: full buckets of the plan that the token names, provisional until the control plane
 * confirms it.
 * @param endsInMs what is left of its lifetime by the token's own time
 */
export function insertProvisional(root: Root, token: usize, planIndex: u32, endsInMs: u64): u32 {
  const table = root.table;
  const plan = unchecked(root.epoch.policy.plans[planIndex]);
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const nowUs = monotonicUs();
    const set = SetCopy.ofSession(table, sessionIdOf(token));
    if (set == 0) {
      createSet(table, sessionIdOf(token));
      continue;
    }
    const known = findRecord(set, sessionIdOf(token));
    // Another worker was faster, or the session has ended here: that stands.
    if (known != 0 && (isLive(known) || !isPastEnd(known, nowUs))) return WRITTEN;
    startSlots();
    // A record that ended long ago is used again, unless something in it is still to be reported.
    const isOpen = known != 0 && (isDirty(known) || isProvisional(known));
    const record = known == 0 ? findSlot(set, nowUs, true) : isOpen ? 0 : known;
    if (record != 0) writeUnverified(record, token, plan, endsInMs, nowUs);
    if (record == 0 || !putLimits(root, set, record, null, false, 0, nowUs, nowUs)) {
      noteFullSet(table, set);
      return SET_FULL;
    }
    if (SetCopy.write(table)) {
      countSlots();
      return WRITTEN;
    }
    count(CAS_RETRIES);
  }
  count(CAS_EXHAUSTED);
  return INSERT_CONTENDED;
}

function isLate(askedAtUs: u64): bool {
  return monotonicUs() - askedAtUs > <u64>ANSWER_VALID_MS * 1000;
}

/** The answer for a record that is there. */
function change(
  root: Root,
  set: usize,
  record: usize,
  token: usize,
  answer: AcquireAnswer,
  nowUs: u64,
  askedAtUs: u64,
): u32 {
  if (answer.state == ANSWER_LIVE) {
    const isSure = !isProvisional(record) && !hasFlag(record, FLAG_LIMITS_UNCONFIRMED);
    const refilledAtUs = refilledAtUsOf(record);
    dropLeaseThatIsOver(root.table, set, record, nowUs);
    if (!confirmRecord(record, token, answer, root.epoch.policy, nowUs)) return SESSION_ENDED;
    const elapsedUs = refilledAtUsOf(record) - refilledAtUs;
    return putLimits(root, set, record, answer, isSure, elapsedUs, askedAtUs, nowUs) ? WRITTEN : SET_FULL;
  }
  // A late one is true of the session, but its figures may be older than those of a record that has gone meanwhile.
  endRecord(record, answer, nowUs, !isProvisional(record) || !isLate(askedAtUs));
  // One that may become live again keeps what was spent.
  if (!hasFlag(record, FLAG_UNCONFIRMED)) releaseAnnex(set, record);
  return SESSION_ENDED;
}

/** Makes the session's record. One that has ended takes no slot of another: the answer itself denies its requests. */
function insert(
  root: Root,
  set: usize,
  token: usize,
  answer: AcquireAnswer,
  mayInsert: bool,
  nowUs: u64,
  askedAtUs: u64,
): u32 {
  const live = answer.state == ANSWER_LIVE;
  const slot = mayInsert ? findSlot(set, nowUs, live) : 0;
  if (slot != 0) fillRecord(slot, token, answer, root.epoch.policy, nowUs);
  if (!live) return SESSION_ENDED;
  return slot != 0 && putLimits(root, set, slot, answer, true, 0, askedAtUs, nowUs) ? WRITTEN : SET_FULL;
}

/** A confirmed or ended record may have figures of its own that the control plane lacks. */
function markDirty(table: Table, set: usize, token: usize): void {
  const record = findRecord(set, sessionIdOf(token));
  if (record == 0 || !isDirty(record)) return;
  table.dirty.mark(SetCopy.index(), <u32>((record - set) / RECORD_BYTES));
}

/** Whether the answer gives back a bucket that was spent from before, here or in this edge's life before. */
function isRestored(root: Root, answer: AcquireAnswer): bool {
  const index = root.epoch.policy.planIndexById(answer.planId);
  if (answer.rev > 0 || index < 0) return answer.rev > 0;
  // A fleet budget's buckets are nowhere but with the control plane.
  if (unchecked(root.epoch.policy.plans[index]).scope == SCOPE_FLEET) return false;
  return fromMicrotokens(answer.levelMicro) < toPico(unchecked(root.epoch.policy.plans[index]).maxTokens);
}

/** While `refilledAt` still tells a lease of 49 days ago from one that lives. */
function dropLeaseThatIsOver(table: Table, set: usize, record: usize, nowUs: u64): void {
  const annex = annexOf(set, record);
  if (annex == 0) return;
  const tag = annexTagOf(annex);
  learnTag(table, tag);
  if (isFleetTag(tag)) dropOverLease(record, annex, nowUs);
}
