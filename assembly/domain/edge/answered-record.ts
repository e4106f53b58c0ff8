// What the control plane's answer, or an unverified admission, makes of a record. Pure: the caller reads and writes the set.
import {
  FLAG_BUDGET_SPENT,
  FLAG_PROVISIONAL,
  FLAG_UNCONFIRMED,
  RECORD_ENDED,
  RECORD_LIVE,
  SCOPE_FLEET,
  UNKNOWN_REMEMBERED_MS,
} from "../../contract";
import { ANSWER_LIVE, ANSWER_UNKNOWN, AcquireAnswer } from "./acquire-answer";
import { elapsedUsSince, fromMicrotokens, refill, toPico } from "../table/bucket";
import { Plan, Policy } from "../policy/model";
import {
  clearFlag,
  clearRecord,
  consumedOf,
  flagsOf,
  hasFlag,
  isLive,
  isPastEnd,
  isProvisional,
  levelAtOf,
  levelPicoOf,
  recordPlanIdOf,
  refilledAtUsOf,
  remainderAtOf,
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
} from "../table/record";

/** A record's end is a u32 of seconds. */
const MAX_ENDS_AT_S: u64 = 0xffffffff;

/**
 * A positive answer for a record that is there: it never raises the level, and never revives what has ended.
 * @returns whether the session lives
 */
export function confirmRecord(record: usize, token: usize, answer: AcquireAnswer, policy: Policy, nowUs: u64): bool {
  if (isEndedForGood(record, nowUs)) {
    addReported(record, answer);
    return false;
  }
  if (!isLive(record) && revOf(record) == 0) {
    // It never lived here: there is no level to keep.
    fillRecord(record, token, answer, policy, nowUs);
    return true;
  }
  refillTo(record, answer, policy, nowUs);
  if (isProvisional(record)) setLevelPico(record, min(levelPicoOf(record), levelOf(answer, policy)));
  addReported(record, answer);
  if (!isLive(record)) setRev(record, revOf(record) + 1);
  setRecordPlanId(record, answer.planId);
  setEndsAtS(record, endOf(nowUs, answer.endsInMs));
  setState(record, RECORD_LIVE);
  setFlags(record, answer.budgetSpent ? FLAG_BUDGET_SPENT : 0);
  return true;
}

/**
 * A negative answer for a record that is there. An end that is known for good is not weakened by a later `unknown`.
 * @param counts false if the answer's figures may be out of date: a provisional record stays so until it is asked about
 */
export function endRecord(record: usize, answer: AcquireAnswer, nowUs: u64, counts: bool = true): void {
  const unknown = answer.state == ANSWER_UNKNOWN;
  if (counts) addReported(record, answer);
  if (unknown && isEndedForGood(record, nowUs)) return;
  if (isLive(record)) setRev(record, revOf(record) + 1);
  setState(record, RECORD_ENDED);
  setFlags(record, (unknown ? FLAG_UNCONFIRMED : 0) | (flagsOf(record) & FLAG_PROVISIONAL));
  // An expired session has no time left, but a client that goes on sending its token must not cause a call each time.
  setEndsAtS(record, endOf(nowUs, unknown ? UNKNOWN_REMEMBERED_MS : max(answer.endsInMs, UNKNOWN_REMEMBERED_MS)));
}

/** Makes the record of a session that the table did not have, live or ended. */
export function fillRecord(record: usize, token: usize, answer: AcquireAnswer, policy: Policy, nowUs: u64): void {
  clearRecord(record);
  setRecordToken(record, token);
  setRefilledAtUs(record, nowUs);
  if (answer.state != ANSWER_LIVE) {
    endRecord(record, answer, nowUs);
    return;
  }
  setRecordPlanId(record, answer.planId);
  setState(record, RECORD_LIVE);
  setFlags(record, answer.budgetSpent ? FLAG_BUDGET_SPENT : 0);
  setLevelPico(record, levelOf(answer, policy));
  setConsumed(record, answer.consumed);
  setRev(record, answer.rev);
  setAckedRev(record, answer.rev);
  setEndsAtS(record, endOf(nowUs, answer.endsInMs));
}

/** As answered, but no more than the plan's bucket holds here, and no more owed. A plan that this policy lacks admits nothing. */
function levelOf(answer: AcquireAnswer, policy: Policy): i64 {
  const level = fromMicrotokens(answer.levelMicro);
  const index = policy.planIndexById(answer.planId);
  if (index < 0) return level;
  const capacity = toPico(unchecked(policy.plans[index]).maxTokens);
  return max(min(level, capacity), -capacity);
}

/** Makes the record of a session that is admitted unverified: a full bucket, counted from 0 until it is confirmed. */
export function writeUnverified(record: usize, token: usize, plan: Plan, endsInMs: u64, nowUs: u64): void {
  clearRecord(record);
  setRecordToken(record, token);
  setRecordPlanId(record, plan.id);
  setState(record, RECORD_LIVE);
  setFlags(record, FLAG_PROVISIONAL);
  setLevelPico(record, toPico(plan.maxTokens));
  setRefilledAtUs(record, nowUs);
  setEndsAtS(record, endOf(nowUs, endsInMs));
}

/** Ended, and not by an `unknown` (ended and unconfirmed), which is the one end that is not final. */
function isEndedForGood(record: usize, nowUs: u64): bool {
  return !isLive(record) && !hasFlag(record, FLAG_UNCONFIRMED) && !isPastEnd(record, nowUs);
}

/**
 * Moves the level on to now, so that the record does not count as idle: being asked about is activity. Refill is exact,
 * so nothing is gained or lost by doing it here. A clock that lies before the last refill changes nothing. Where this
 * policy lacks the record's plan, the answer's counts.
 */
function refillTo(record: usize, answer: AcquireAnswer, policy: Policy, nowUs: u64): void {
  let index = policy.planIndexById(recordPlanIdOf(record));
  if (index < 0) index = policy.planIndexById(answer.planId);
  if (index < 0 || nowUs <= refilledAtUsOf(record)) return;
  const plan = unchecked(policy.plans[index]);
  // What is left of a lease gains nothing here.
  if (plan.scope == SCOPE_FLEET) {
    setRefilledAtUs(record, nowUs);
    return;
  }
  const elapsedUs = elapsedUsSince(refilledAtUsOf(record), nowUs);
  const levelAt = levelAtOf(record);
  refill(levelAt, remainderAtOf(record), elapsedUs, plan.ratePico, plan.rateUs, toPico(plan.maxTokens));
  setRefilledAtUs(record, nowUs);
}

/** A provisional record counts from 0: what this edge had reported of the session before is added, once. */
function addReported(record: usize, answer: AcquireAnswer): void {
  if (!isProvisional(record)) return;
  setConsumed(record, answer.consumed + consumedOf(record));
  setRev(record, answer.rev + revOf(record));
  setAckedRev(record, answer.rev);
  clearFlag(record, FLAG_PROVISIONAL);
}

function endOf(nowUs: u64, endsInMs: u64): u32 {
  return <u32>min((nowUs / 1000 + endsInMs) / 1000, MAX_ENDS_AT_S);
}
