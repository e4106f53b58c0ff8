// Writing what the control plane said, or what is taken on trust, into the session table: each one atomic step.
import { RECORD_BYTES } from "../contract";
import { ANSWER_LIVE, ANSWER_REVOKED, AcquireAnswer } from "../domain/acquire-answer";
import { confirmRecord, endRecord, fillRecord, trustRecord } from "../domain/answered-record";
import { fromMicrotokens, toPico } from "../domain/bucket";
import { isLive, isPastEnd, isProvisional } from "../domain/record";
import { findRecord, isUnreported } from "../domain/set";
import { sessionIdOf } from "../domain/token";
import { monotonicUs } from "../host/clock";
import { CAS_EXHAUSTED, CAS_RETRIES, RESTORES } from "./counters";
import { isUpToDate, raiseSeen } from "./log-place";
import { countPlace, findPlace, keepPlace, noteFullSet } from "./place";
import { Root } from "./roots";
import { createSet } from "./session-table";
import { SetCopy } from "./set-copy";
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

/**
 * Writes an answer of the control plane.
 * @param mayInsert false if the ask was sent while a record stood: then it never makes a new one
 * @param askedAtUs clock before the read that led to the ask; after acquireTimeout the answer counts for nothing
 */
export function writeAnswer(root: Root, token: usize, answer: AcquireAnswer, mayInsert: bool, askedAtUs: u64): u32 {
  const live = answer.state == ANSWER_LIVE;
  // Heard of before it is written, as by the leader: a worker that inserts meanwhile finds its answer out of date.
  if (answer.state == ANSWER_REVOKED) raiseSeen(root, answer.log, answer.cursor);
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const nowUs = monotonicUs();
    const set = SetCopy.ofSession(root, sessionIdOf(token));
    if (set == 0) {
      if (!mayInsert) return live ? ANSWER_STALE : SESSION_ENDED;
      createSet(root, sessionIdOf(token));
      continue;
    }
    const record = findRecord(set, sessionIdOf(token));
    if (live) {
      if (record == 0 && !mayInsert) return ANSWER_STALE;
      // After the read of the set: what the edge hears of later is refused by the set's cas.
      if (!isUpToDate(root, answer.log, answer.cursor)) return ANSWER_STALE;
      // Between the read and the write: a worker that slept would write over what it has not heard of. Only a record
      // that stood all the while takes its answer; a provisional one came in after another had gone.
      if ((mayInsert || isProvisional(record)) && isLate(root, askedAtUs)) return ANSWER_STALE;
    }
    keepPlace();
    const outcome =
      record != 0
        ? change(root, record, token, answer, nowUs, askedAtUs)
        : insert(root, set, token, answer, mayInsert, nowUs);
    if (outcome == SET_FULL) return outcome;
    if (SetCopy.write(root)) {
      markUnreported(root, set, token);
      if (countPlace(root) && live && isRestored(root, answer)) root.counters.count(RESTORES);
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
    const set = SetCopy.ofSession(root, sessionIdOf(token));
    if (set == 0) {
      createSet(root, sessionIdOf(token));
      continue;
    }
    const known = findRecord(set, sessionIdOf(token));
    // Another worker was faster, or the session has ended here: that stands.
    if (known != 0 && (isLive(known) || !isPastEnd(known, nowUs))) return WRITTEN;
    keepPlace();
    // A record that ended long ago is used again, unless something in it is still to be reported.
    const isOpen = known != 0 && (isUnreported(known) || isProvisional(known));
    const record = known == 0 ? findPlace(root, set, nowUs, true) : isOpen ? 0 : known;
    if (record == 0) {
      noteFullSet(root, set);
      return SET_FULL;
    }
    trustRecord(record, token, plan, endsInMs, nowUs);
    if (SetCopy.write(root)) {
      countPlace(root);
      return WRITTEN;
    }
    root.counters.count(CAS_RETRIES);
  }
  root.counters.count(CAS_EXHAUSTED);
  return INSERT_CONTENDED;
}

function isLate(root: Root, askedAtUs: u64): bool {
  return monotonicUs() - askedAtUs > <u64>root.policy.acquireTimeoutMs * 1000;
}

/** The answer for a record that is there. */
function change(root: Root, record: usize, token: usize, answer: AcquireAnswer, nowUs: u64, askedAtUs: u64): u32 {
  if (answer.state == ANSWER_LIVE) {
    return confirmRecord(record, token, answer, root.policy, nowUs) ? WRITTEN : SESSION_ENDED;
  }
  // A late one is true of the session, but its figures may be older than those of a record that has gone meanwhile.
  endRecord(record, answer, nowUs, !isProvisional(record) || !isLate(root, askedAtUs));
  return SESSION_ENDED;
}

/** Makes the session's record. One that has ended takes nobody's place: the answer itself refuses its requests. */
function insert(root: Root, set: usize, token: usize, answer: AcquireAnswer, mayInsert: bool, nowUs: u64): u32 {
  const live = answer.state == ANSWER_LIVE;
  const place = mayInsert ? findPlace(root, set, nowUs, live) : 0;
  if (place != 0) fillRecord(place, token, answer, nowUs);
  if (!live) return SESSION_ENDED;
  if (place != 0) return WRITTEN;
  noteFullSet(root, set);
  return SET_FULL;
}

/** A confirmed or ended record may have figures of its own that the control plane lacks. */
function markUnreported(root: Root, set: usize, token: usize): void {
  const record = findRecord(set, sessionIdOf(token));
  if (record == 0 || !isUnreported(record)) return;
  root.unreported.mark(SetCopy.index(), <u32>((record - set) / RECORD_BYTES));
}

/** Whether the answer gives back a bucket that was spent from before, here or in this edge's life before. */
function isRestored(root: Root, answer: AcquireAnswer): bool {
  const index = root.policy.planIndexById(answer.planId);
  if (answer.rev > 0 || index < 0) return answer.rev > 0;
  return fromMicrotokens(answer.levelMicro) < toPico(unchecked(root.policy.plans[index]).maxTokens);
}
