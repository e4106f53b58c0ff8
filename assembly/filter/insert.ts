// Writing what the control plane said, or what is taken on trust, into the session table: each one atomic step.
import {
  FLAG_BUDGET_SPENT,
  FLAG_PROVISIONAL,
  FLAG_UNCONFIRMED,
  RECORDS_PER_SET,
  RECORD_ENDED,
  RECORD_LIVE,
  UNKNOWN_REMEMBERED_MS,
} from "../contract";
import { ANSWER_LIVE, ANSWER_UNKNOWN, AcquireAnswer } from "../domain/acquire-answer";
import { capacityPico, elapsedUsSince, fromMicrotokens, refilledLevel } from "../domain/bucket";
import { Policy } from "../domain/policy/model";
import {
  clearRecord,
  consumedOf,
  flagsOf,
  hasFlag,
  isEmpty,
  isLive,
  isPastEnd,
  levelPicoOf,
  recordPlanIdOf,
  refilledAtUsOf,
  revOf,
  setAckedRev,
  setConsumed,
  setEndsAtS,
  setFlags,
  setLevelPico,
  setRecordPlanId,
  setRecordToken,
  setRefilledAtUs,
  setRev,
  setState,
} from "../domain/record";
import { findRecord, placeForNewcomer, recordAt } from "../domain/set";
import { sessionIdOf } from "../domain/token";
import { monotonicUs } from "../host/clock";
import { sharedCas, sharedValue } from "../host/shared-data";
import { OK } from "../host/status";
import { CAS_EXHAUSTED, CAS_RETRIES, EVICTIONS, RESTORES, TABLE_FULL, TABLE_RECORDS } from "./counters";
import { Root } from "./roots";
import { createSet, readSet, writeSet } from "./session-table";
import { MAX_CAS_TRIES } from "./spend";

// What came of it.
/** The table holds what the answer says, or what overrules it. */
export const WRITTEN: u32 = 0;
/** The session has ended, whatever the answer says. */
export const SESSION_ENDED: u32 = 1;
/** The answer came too late, or the record that it was about is gone: it says nothing any more. */
export const ANSWER_STALE: u32 = 2;
/** The set is full and no record may go. */
export const SET_FULL: u32 = 3;
export const INSERT_CONTENDED: u32 = 4;

/** A record's end is a u32 of seconds. */
const MAX_ENDS_AT_S: u64 = 0xffffffff;

const evictableAfterUs: usize = memory.data(128, 8);

/**
 * Writes an answer of the control plane.
 * @param mayInsert false if the ask was sent while a record stood: then it never makes a new one
 * @param askedAtUs clock before the read that led to the ask; after acquireTimeout the answer counts for nothing
 */
export function writeAnswer(root: Root, token: usize, answer: AcquireAnswer, mayInsert: bool, askedAtUs: u64): u32 {
  const timeoutUs = <u64>root.policy.acquireTimeoutMs * 1000;
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const nowUs = monotonicUs();
    if (readSet(root, sessionIdOf(token)) != OK) {
      if (!mayInsert) return ANSWER_STALE;
      createSet(root, sessionIdOf(token));
      continue;
    }
    // Checked between the read and the write: a worker that slept would write over what it has not heard of.
    if (mayInsert && monotonicUs() - askedAtUs > timeoutUs) return ANSWER_STALE;
    const set = sharedValue();
    let record = findRecord(set, sessionIdOf(token));
    let outcome = WRITTEN;
    let newcomer = false;
    if (record != 0) {
      outcome = answer.state == ANSWER_LIVE ? confirm(root, record, token, answer, nowUs) : end(record, answer, nowUs);
    } else if (!mayInsert) {
      return ANSWER_STALE;
    } else {
      record = placeFor(root, set, nowUs);
      if (record == 0) return noPlace(root, answer);
      newcomer = true;
      notePlace(record);
      fill(record, token, answer, nowUs);
      if (answer.state != ANSWER_LIVE) outcome = SESSION_ENDED;
    }
    if (writeSet(set, sharedCas()) == OK) {
      if (newcomer) countNewcomer(root, answer.state == ANSWER_LIVE && (answer.rev > 0 || answer.consumed > 0));
      return outcome;
    }
    root.counters.count(CAS_RETRIES);
  }
  root.counters.count(CAS_EXHAUSTED);
  return INSERT_CONTENDED;
}

/**
 * Takes a session on trust: a full bucket of the plan that the token names, provisional until the control plane
 * confirms it.
 * @param endsInMs what is left of its lifetime by the token's own time
 */
export function insertProvisional(root: Root, token: usize, planIndex: u32, endsInMs: u64): u32 {
  const plan = unchecked(root.policy.plans[planIndex]);
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const nowUs = monotonicUs();
    if (readSet(root, sessionIdOf(token)) != OK) {
      createSet(root, sessionIdOf(token));
      continue;
    }
    const set = sharedValue();
    let record = findRecord(set, sessionIdOf(token));
    const known = record != 0;
    // Another worker was faster, or the session has ended here: that stands.
    if (known && (isLive(record) || !isPastEnd(record, seconds(nowUs)))) return WRITTEN;
    if (!known) record = placeFor(root, set, nowUs);
    if (record == 0) return setFull(root);
    notePlace(record);
    clearRecord(record);
    setRecordToken(record, token);
    setRecordPlanId(record, plan.id);
    setState(record, RECORD_LIVE);
    setFlags(record, FLAG_PROVISIONAL);
    setLevelPico(record, capacityPico(plan.maxTokens));
    setRefilledAtUs(record, nowUs);
    setEndsAtS(record, endOf(nowUs, endsInMs));
    if (writeSet(set, sharedCas()) == OK) {
      if (!known) countNewcomer(root, false);
      return WRITTEN;
    }
    root.counters.count(CAS_RETRIES);
  }
  root.counters.count(CAS_EXHAUSTED);
  return INSERT_CONTENDED;
}

/** A positive answer for a record that is there: it never raises the level, and never revives what has ended. */
function confirm(root: Root, record: usize, token: usize, answer: AcquireAnswer, nowUs: u64): u32 {
  // An `unknown` (ended and unconfirmed) is the one end that is not final.
  const final = !isLive(record) && !hasFlag(record, FLAG_UNCONFIRMED);
  if (final && !isPastEnd(record, seconds(nowUs))) return SESSION_ENDED;
  if (!isLive(record) && revOf(record) == 0) {
    // It never lived here: there is no level to keep.
    fill(record, token, answer, nowUs);
    return WRITTEN;
  }
  if (hasFlag(record, FLAG_PROVISIONAL)) {
    const level = min(levelAt(root.policy, record, nowUs), fromMicrotokens(answer.levelMicro));
    setLevelPico(record, level);
    if (nowUs > refilledAtUsOf(record)) setRefilledAtUs(record, nowUs);
    setConsumed(record, answer.consumed + consumedOf(record));
    setRev(record, answer.rev + revOf(record));
    setAckedRev(record, answer.rev);
  }
  if (!isLive(record)) setRev(record, revOf(record) + 1);
  setRecordPlanId(record, answer.planId);
  setEndsAtS(record, endOf(nowUs, answer.endsInMs));
  setState(record, RECORD_LIVE);
  setFlags(record, answer.budgetSpent ? FLAG_BUDGET_SPENT : 0);
  return WRITTEN;
}

function levelAt(policy: Policy, record: usize, nowUs: u64): i64 {
  const index = policy.planIndexById(recordPlanIdOf(record));
  if (index < 0) return levelPicoOf(record);
  const plan = unchecked(policy.plans[index]);
  const elapsedUs = elapsedUsSince(refilledAtUsOf(record), nowUs);
  return refilledLevel(levelPicoOf(record), elapsedUs, plan.refillRateMicro, capacityPico(plan.maxTokens));
}

/** A negative answer for a record that is there. An end that is known for good is not weakened by a later `unknown`. */
function end(record: usize, answer: AcquireAnswer, nowUs: u64): u32 {
  const unknown = answer.state == ANSWER_UNKNOWN;
  const final = !isLive(record) && !hasFlag(record, FLAG_UNCONFIRMED) && !isPastEnd(record, seconds(nowUs));
  if (final && unknown) return SESSION_ENDED;
  if (isLive(record)) setRev(record, revOf(record) + 1);
  setState(record, RECORD_ENDED);
  setFlags(record, (flagsOf(record) & FLAG_PROVISIONAL) | (unknown ? FLAG_UNCONFIRMED : 0));
  setEndsAtS(record, endOf(nowUs, unknown ? UNKNOWN_REMEMBERED_MS : answer.endsInMs));
  return SESSION_ENDED;
}

/** Makes the record of a session that the table did not have. */
function fill(record: usize, token: usize, answer: AcquireAnswer, nowUs: u64): void {
  clearRecord(record);
  setRecordToken(record, token);
  setRefilledAtUs(record, nowUs);
  if (answer.state != ANSWER_LIVE) {
    end(record, answer, nowUs);
    return;
  }
  setRecordPlanId(record, answer.planId);
  setState(record, RECORD_LIVE);
  setFlags(record, answer.budgetSpent ? FLAG_BUDGET_SPENT : 0);
  setLevelPico(record, fromMicrotokens(answer.levelMicro));
  setConsumed(record, answer.consumed);
  setRev(record, answer.rev);
  setAckedRev(record, answer.rev);
  setEndsAtS(record, endOf(nowUs, answer.endsInMs));
}

/** A session that ended needs no record: its client is refused by the answer itself. */
function noPlace(root: Root, answer: AcquireAnswer): u32 {
  return answer.state == ANSWER_LIVE ? setFull(root) : SESSION_ENDED;
}

function setFull(root: Root): u32 {
  root.counters.count(TABLE_FULL);
  return SET_FULL;
}

/** The place in the set that a newcomer takes, or 0. */
function placeFor(root: Root, set: usize, nowUs: u64): usize {
  for (let place: u32 = 0; place < RECORDS_PER_SET; place++) {
    const index = root.policy.planIndexById(recordPlanIdOf(recordAt(set, place)));
    // A plan that the policy lacks: nobody can use the record, so it need not outlast the acquire timeout.
    const maxAgeUs = index < 0 ? 0 : unchecked(root.policy.plans[index]).maxAgeMs * 1000;
    store<u64>(evictableAfterUs + ((<usize>place) << 3), maxAgeUs);
  }
  return placeForNewcomer(set, nowUs, seconds(nowUs), <u64>root.policy.acquireTimeoutMs * 1000, evictableAfterUs);
}

let placeWasEmpty: bool = false;

function notePlace(record: usize): void {
  placeWasEmpty = isEmpty(record);
}

function countNewcomer(root: Root, restored: bool): void {
  root.counters.count(placeWasEmpty ? TABLE_RECORDS : EVICTIONS);
  if (restored) root.counters.count(RESTORES);
}

function endOf(nowUs: u64, endsInMs: u64): u32 {
  return <u32>min((nowUs / 1000 + endsInMs) / 1000, MAX_ENDS_AT_S);
}

function seconds(us: u64): u32 {
  return <u32>(us / 1000000);
}
