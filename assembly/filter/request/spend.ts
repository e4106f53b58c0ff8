// Spending from a session's bucket: read its set, decide on the copy, write the set back by compare-and-swap.
import { FLAG_BUDGET_SPENT, FLAG_REFRESH, FLAG_UNCONFIRMED, RECORD_BYTES } from "../../contract";
import { toPico, elapsedUsSince, refill, refilledLevel } from "../../domain/table/bucket";
import { annexOf, annexWith } from "../../domain/table/annex";
import { clearLeaseEnd } from "../../domain/table/lease";
import { tokenKeyStateOf } from "../../domain/token/keys";
import { ENFORCEMENT_OFF } from "../../domain/policy/enforcement";
import { ON_UNREACHABLE_TRUST, Plan, Policy } from "../../domain/policy/model";
import {
  annexNumberOf,
  hasFlag,
  isLive,
  isPastEnd,
  isProvisional,
  levelAtOf,
  levelPicoOf,
  recordPlanIdOf,
  recordTokenOf,
  noteSpent,
  refilledAtUsOf,
  remainderAtOf,
  setLevelPico,
  setRecordToken,
} from "../../domain/table/record";
import { findRecord } from "../../domain/table/set";
import { keyIdOfToken, sameTokens, sessionIdOf, tagMatches } from "../../domain/token/token";
import { monotonicUs } from "../../host/clock";
import { sharedCas, sharedValue } from "../../host/shared-data";
import { OK } from "../../host/status";
import { noteProvisional } from "../table/provisional";
import { keysWithId } from "../vm/process";
import { isStillDenied, noteDenial } from "./recent-denials";
import { Epoch } from "../state/epoch";
import { Request } from "../state/request";
import { hasOtherLimits } from "../table/limits";
import { MAX_CAS_TRIES, lastSetIndex, readSet, writeSet } from "../table/session-table";
import { consumedAtOnce } from "./reservation";
import { LEASE_NEEDED, spendLease } from "./spend-lease";
import { spendLimits } from "./spend-limits";
import { ALLOWED, BUDGET_SPENT, INVALID_TOKEN, LIMITED, NOT_ENFORCED, Verdict } from "./verdict";

/** How long a spent budget is taken to be spent without asking: at most two acquires a minute, whoever keeps trying. */
const BUDGET_AGE_US: u64 = 30000000;

// What the record is worth.
/** As it stands, unless the control plane is to be asked first. */
export const ASK_FIRST: u32 = 0;
/** The control plane was asked, or cannot be: it stands, unless a reset put it in doubt. */
export const STANDS: u32 = 1;
/** The policy trusts what cannot be asked about: it stands in any case. */
export const STANDS_UNCONFIRMED: u32 = 2;
/** The control plane cannot be asked: it stands, and where a reset put it in doubt, its plan's `onUnreachable` decides. */
export const STANDS_IF_TRUSTED: u32 = 3;

// What came of it: ALLOWED, NOT_ENFORCED, LIMITED, BUDGET_SPENT or INVALID_TOKEN (verdict.ts), or one of these, which decide nothing yet.
/** No record: ask the control plane. */
export const MISS: u32 = 16;
/** The same, although there is a record: it ended long ago. */
export const MISS_ON_RECORD: u32 = 17;
/** There is a record, but the control plane should be asked first: idle for too long here, or flagged refresh. */
export const ASK: u32 = 18;
/** The same, and what the record says goes along: its further levels are not those of its plan's limits, or may become so. */
export const ASK_WITH_ROW: u32 = 19;
/** The record's plan is not in the policy. */
export const UNKNOWN_PLAN: u32 = 20;
/** The cas bound was reached. */
export const CONTENDED: u32 = 21;
/** As ASK_WITH_ROW: its plan is of scope fleet, and its annex is none of that. A lease is wanted with the answer. */
export const ASK_WITH_LEASE: u32 = 23;
// Above all of these: LEASE_NEEDED and LEASE_PENDING (spend-lease.ts).
/** As MISS_ON_RECORD: a reset put the record in doubt, and nobody has confirmed it since. */
export const MISS_IN_DOUBT: u32 = 22;

/** No usable record. */
// @ts-ignore: decorator
@inline
export function isMiss(spent: u32): bool {
  return spent == MISS || spent == MISS_ON_RECORD || spent == MISS_IN_DOUBT;
}

/** Whether the control plane is to be asked about the record. */
// @ts-ignore: decorator
@inline
export function isAsk(spent: u32): bool {
  return spent == ASK || spent == ASK_WITH_ROW || spent == ASK_WITH_LEASE;
}

// @ts-ignore: decorator
@inline
export function wantsLease(spent: u32): bool {
  return spent >= LEASE_NEEDED;
}

/**
 * Takes the request's costs from the buckets of its session, from all or from none, or says why not. A denial writes nothing.
 * @param recordStatus whether the record is to be asked about first: ASK_FIRST or STANDS_…
 * @param verdict takes the clock, the retries and, where a bucket was looked at, its plan and level
 */
export function spend(request: Request, recordStatus: u32, verdict: Verdict): u32 {
  const table = request.root.table;
  const token = request.token;
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const nowUs = monotonicUs();
    verdict.readAtUs = nowUs;
    if (recordStatus == ASK_FIRST && isStillDenied(request, nowUs, verdict)) return LIMITED;
    if (readSet(table, sessionIdOf(token)) != OK) return MISS;
    const set = sharedValue();
    const record = findRecord(set, sessionIdOf(token));
    if (record == 0) return MISS;
    const spent = spendInCopy(request, set, record, recordStatus, verdict);
    if (spent != ALLOWED) return spent;
    if (writeSet(set, sharedCas()) == OK) {
      if (isProvisional(record)) noteProvisional(table, token);
      table.dirty.mark(lastSetIndex(), <u32>((record - set) / RECORD_BYTES));
      return ALLOWED;
    }
    verdict.casRetries++;
    // The session may have another plan by now: none of that one's limits may have this number.
    verdict.limit = 0;
  }
  verdict.casExhausted = true;
  return CONTENDED;
}

/** Decides on the copy of the record, and spends in it if the outcome is ALLOWED. */
function spendInCopy(request: Request, set: usize, record: usize, recordStatus: u32, verdict: Verdict): u32 {
  const token = request.token;
  const nowUs = verdict.readAtUs;
  const keys = keysWithId(keyIdOfToken(token));
  if (keys == 0) return INVALID_TOKEN;
  // Equal bytes were verified when the record was made; others are a re-issued token, or forged.
  const sameToken = sameTokens(recordTokenOf(record), token);
  if (!sameToken && !tagMatches(token, tokenKeyStateOf(keys))) return INVALID_TOKEN;
  if (!isLive(record)) return isPastEnd(record, nowUs) ? MISS_ON_RECORD : INVALID_TOKEN;
  if (isPastEnd(record, nowUs)) return INVALID_TOKEN;
  const epoch = request.epoch;
  const policy = epoch.policy;
  const planIndex = policy.planIndexById(recordPlanIdOf(record));
  if (planIndex < 0) return UNKNOWN_PLAN;
  const plan = unchecked(policy.plans[planIndex]);
  verdict.planIndex = planIndex;
  if (recordStatus == ASK_FIRST && shouldAsk(record, plan, nowUs)) {
    const isOther = hasOtherLimits(epoch, set, record, planIndex);
    if (isOther && isFleetPlan(epoch, planIndex)) return ASK_WITH_LEASE;
    return isOther || annexNumberOf(record) != 0 ? ASK_WITH_ROW : ASK;
  }
  if (hasFlag(record, FLAG_UNCONFIRMED) && !standsInDoubt(recordStatus, policy, planIndex)) return MISS_IN_DOUBT;
  if (epoch.hasOffPlans && epoch.enforcementOf(request.enforcement, planIndex) == ENFORCEMENT_OFF) return NOT_ENFORCED;
  const limits = epoch.limitsBeside(planIndex);
  if (limits !== null) {
    const annex = annexWith(set, record, limits.tagOf(planIndex));
    const isFleet = limits.isFleet(planIndex);
    if (annex == 0) return isFleet ? ASK_WITH_LEASE : ASK_WITH_ROW;
    const spent = isFleet
      ? spendLease(request, limits, record, annex, verdict)
      : spendLimits(request, limits, record, annex, verdict);
    if (spent == ALLOWED && !sameToken) setRecordToken(record, token);
    return spent;
  }
  // Its plan has no further limits any more: what was spent from them is told before it is forgotten.
  if (annexNumberOf(record) != 0) {
    if (recordStatus == ASK_FIRST) return ASK_WITH_ROW;
    // Where that was a lease's annex, a worker under the former policy takes nothing of the level for it any more.
    const annex = annexOf(set, record);
    if (annex != 0) clearLeaseEnd(annex);
  }
  const levelPico = levelNow(record, plan, nowUs);
  verdict.levelPico = levelPico;
  // What costs nothing is never limited.
  if (hasFlag(record, FLAG_BUDGET_SPENT) && request.cost != 0) return BUDGET_SPENT;
  if (levelPico < toPico(request.cost) && request.cost != 0) {
    noteDenial(request, plan, load<u16>(remainderAtOf(record)), verdict);
    return LIMITED;
  }
  verdict.levelPico = levelPico - toPico(request.cost);
  if (!sameToken) setRecordToken(record, token);
  setLevelPico(record, verdict.levelPico);
  noteSpent(record, consumedAtOnce(request), nowUs);
  return ALLOWED;
}

function isFleetPlan(epoch: Epoch, planIndex: u32): bool {
  const limits = epoch.limitsBeside(planIndex);
  return limits !== null && limits.isFleet(planIndex);
}

/** Whether a record that a reset put in doubt counts as it stands. */
function standsInDoubt(recordStatus: u32, policy: Policy, planIndex: u32): bool {
  if (recordStatus != STANDS_IF_TRUSTED) return recordStatus == STANDS_UNCONFIRMED;
  return policy.onUnreachableOfPlan(planIndex) == ON_UNREACHABLE_TRUST;
}

function shouldAsk(record: usize, plan: Plan, nowUs: u64): bool {
  if (hasFlag(record, FLAG_REFRESH)) return true;
  const elapsedUs = elapsedUsSince(refilledAtUsOf(record), nowUs);
  // A budget may have been raised: edges receive nothing of that, so a spent one is looked at again now and then.
  return elapsedUs > plan.maxAgeMs * 1000 || (hasFlag(record, FLAG_BUDGET_SPENT) && elapsedUs > BUDGET_AGE_US);
}

/** The level refilled up to the clock, at the plan in force. */
function levelNow(record: usize, plan: Plan, nowUs: u64): i64 {
  const elapsedUs = elapsedUsSince(refilledAtUsOf(record), nowUs);
  const capacity = toPico(plan.maxTokens);
  if (plan.rateUs == 1) return refilledLevel(levelPicoOf(record), elapsedUs, plan.ratePico, capacity);
  return refill(levelAtOf(record), remainderAtOf(record), elapsedUs, plan.ratePico, plan.rateUs, capacity);
}
