// The further levels of a session's record: its annex is made, made anew, or given back as the plan in force has it.
import { FLAG_LIMITS_UNCONFIRMED, FLAG_REFRESH } from "../../contract";
import { AcquireAnswer } from "../../domain/edge/acquire-answer";
import { makeLevels, putMadeLevels } from "../../domain/limits/answered-limits";
import { NO_TAG } from "../../domain/limits/limits-tag";
import { annexOf, annexTagOf, releaseAnnex } from "../../domain/table/annex";
import { toPico } from "../../domain/table/bucket";
import { isLive, isProvisional, recordPlanIdOf, setFlag } from "../../domain/table/record";
import { findRecord } from "../../domain/table/set";
import { sessionIdOf } from "../../domain/token/token";
import { monotonicUs } from "../../host/clock";
import { Epoch } from "../state/epoch";
import { Root } from "../state/roots";
import { isFleetTag, namesOfTag } from "../state/tag-names";
import { CAS_EXHAUSTED, CAS_RETRIES, count } from "../vm/counters";
import { leaveLease, putLease } from "./put-lease";
import { learnTag } from "./shared-tags";
import { MAX_CAS_TRIES } from "./session-table";
import { SetCopy } from "./set-copy";
import { addAnnex, countSlots, noteFullSet, startSlots } from "./slot";

// The results of making an annex without the control plane.
export const LIMITS_MADE: u32 = 0;
/** No slot for it. */
export const LIMITS_FULL: u32 = 1;
export const LIMITS_CONTENDED: u32 = 2;

/** Whether the record's annex is not what its plan wants: it lacks one, has one of other limits, or one too many. */
export function hasOtherLimits(epoch: Epoch, set: usize, record: usize, planIndex: u32): bool {
  const annex = annexOf(set, record);
  const limits = epoch.limits;
  return (annex == 0 ? NO_TAG : annexTagOf(annex)) != (limits === null ? NO_TAG : limits.tagOf(planIndex));
}

/**
 * Whether an answer would replace levels that the control plane was not told: what was spent from those limits since the
 * last report would be given back.
 * @param planId the answer's
 * @param saidTag the limits whose levels the ask said
 */
export function wouldLoseLevels(epoch: Epoch, set: usize, record: usize, planId: u32, saidTag: u32): bool {
  const annex = annexOf(set, record);
  // An unverified session's levels are said by nobody until it is confirmed.
  if (annex == 0 || annexTagOf(annex) == saidTag || !isLive(record) || isProvisional(record)) return false;
  const planIndex = epoch.policy.planIndexById(planId);
  return planIndex >= 0 && hasOtherLimits(epoch, set, record, planIndex);
}

/**
 * Gives the record in a copy of its set the levels of its plan (answered-limits.ts), and an annex for them; see
 * `startSlots`. A plan that this policy lacks changes nothing.
 * @param askedAtUs clock before the read that led to the answer's ask
 * @returns false if there is no slot for the annex
 */
export function putLimits(
  root: Root,
  set: usize,
  record: usize,
  answer: AcquireAnswer | null,
  isSure: bool,
  elapsedUs: u64,
  askedAtUs: u64,
  nowUs: u64,
): bool {
  const epoch = root.epoch;
  const planIndex = epoch.policy.planIndexById(recordPlanIdOf(record));
  if (planIndex < 0) return true;
  const limits = epoch.limitsBeside(planIndex);
  let annex = annexOf(set, record);
  if (annex != 0) learnTag(root.table, annexTagOf(annex));
  const names = namesOfTag(annex == 0 ? NO_TAG : annexTagOf(annex));
  if (limits !== null && limits.isFleet(planIndex)) {
    return putLease(set, record, limits, planIndex, names, answer, askedAtUs, nowUs);
  }
  if (annex != 0 && isFleetTag(annexTagOf(annex))) {
    leaveLease(record, annex, answer, toPico(unchecked(epoch.policy.plans[planIndex]).maxTokens), nowUs);
  }
  if (limits === null) {
    releaseAnnex(set, record);
    return true;
  }
  makeLevels(annex, names, elapsedUs, limits, planIndex, answer, isSure);
  if (annex == 0) annex = addAnnex(set, record, nowUs);
  if (annex == 0) return false;
  putMadeLevels(annex);
  return true;
}

/**
 * Makes the annex of a live session's record without the control plane, which is asked about it as soon as that can be: the
 * levels that the two sets of limits have in common stay, others are full.
 */
export function insertLimits(root: Root, token: usize): u32 {
  const table = root.table;
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const nowUs = monotonicUs();
    const set = SetCopy.ofSession(table, sessionIdOf(token));
    // It is gone, or another worker was faster: what stands there is looked at again.
    if (set == 0) return LIMITS_MADE;
    const record = findRecord(set, sessionIdOf(token));
    if (record == 0 || !isLive(record)) return LIMITS_MADE;
    const planIndex = root.epoch.policy.planIndexById(recordPlanIdOf(record));
    if (planIndex < 0 || !hasOtherLimits(root.epoch, set, record, planIndex)) return LIMITS_MADE;
    startSlots();
    if (!putLimits(root, set, record, null, true, 0, nowUs, nowUs)) {
      noteFullSet(table, set);
      return LIMITS_FULL;
    }
    setFlag(record, FLAG_REFRESH | FLAG_LIMITS_UNCONFIRMED);
    if (SetCopy.write(table)) {
      countSlots();
      return LIMITS_MADE;
    }
    count(CAS_RETRIES);
  }
  count(CAS_EXHAUSTED);
  return LIMITS_CONTENDED;
}
