// Deciding on a request whose token is well formed: by its session's record, by asking the control plane, or by what the
// policy says where neither can be had. Each function returns an outcome of verdict.ts.
import {
  ON_CONTENTION_ALLOW,
  ON_MISS_TRUST,
  ON_TABLE_FULL_ALLOW,
  ON_UNREACHABLE_TRUST,
} from "../../domain/policy/model";
import { tokenKeyStateOf } from "../../domain/token/keys";
import { hasIssuedId, issuedAtMs, keyIdOfToken, planIdOf, tagMatches } from "../../domain/token/token";
import { wallMs } from "../../host/clock";
import { BUSY, WAITS, askFor, isUnreachable, shouldHoldBack } from "../edge/acquire";
import { admitOnLease, leaseCosts } from "./admit-lease";
import { holdForPlan } from "./held";
import { INSERT_CONTENDED, SET_FULL, insertProvisional } from "../table/insert";
import { LIMITS_FULL, LIMITS_MADE, insertLimits } from "../table/limits";
import { keysWithId } from "../vm/process";
import { Epoch } from "../state/epoch";
import { Request } from "../state/request";
import {
  ASK,
  ASK_FIRST,
  ASK_WITH_LEASE,
  CONTENDED,
  MISS,
  MISS_IN_DOUBT,
  STANDS,
  STANDS_IF_TRUSTED,
  STANDS_UNCONFIRMED,
  UNKNOWN_PLAN,
  isAsk,
  isMiss,
  spend,
  wantsLease,
} from "./spend";
import {
  BUSY_ASKING,
  CANNOT_DECIDE,
  FORGED,
  HELD,
  INVALID_TOKEN,
  TOO_OLD,
  UNVERIFIED,
  UNCONFIRMED,
  UNMETERED,
  Verdict,
} from "./verdict";

/** A request whose record comes and goes between its asks gives up after so many. */
export const MAX_ASKS: u32 = 3;

/** From the beginning: by the record, unless the control plane is to be asked first. */
export function admit(request: Request, verdict: Verdict): u32 {
  const spent = spend(request, ASK_FIRST, verdict);
  if (isMiss(spent)) return admitMiss(request, spent, verdict);
  return isAsk(spent) ? admitAfterAsk(request, spent, verdict) : outcomeOf(request, spent, verdict);
}

/** On the record that stands: the control plane was asked, or cannot be. */
export function admitOnRecord(request: Request, verdict: Verdict): u32 {
  const spent = spend(request, STANDS, verdict);
  if (isMiss(spent)) return admitMiss(request, spent, verdict);
  // Its limits are not those of its plan again: another worker has another policy in force.
  return isAsk(spent) ? admitAfterAsk(request, spent, verdict) : outcomeOf(request, spent, verdict);
}

/**
 * The same where no answer came: `onUnreachable` of the record's plan decides, or of the token's where there is none; also of
 * a record that lacks levels of its plan's limits.
 */
export function admitUnreachable(request: Request, verdict: Verdict): u32 {
  const spent = spend(request, STANDS_IF_TRUSTED, verdict);
  if (isAsk(spent))
    return trustsRecord(request, verdict) ? admitTrusted(request, verdict) : denyMiss(verdict, UNCONFIRMED);
  if (wantsLease(spent)) return denyMiss(verdict, UNCONFIRMED);
  if (!isMiss(spent)) return outcomeOf(request, spent, verdict);
  if (isTooOld(request)) return denyToken(verdict, TOO_OLD);
  const trust = spent != MISS_IN_DOUBT && trustsPlanOf(request);
  return trust ? admitUnverified(request, verdict) : denyMiss(verdict, UNCONFIRMED);
}

/**
 * The same where the control plane is there, but has not said anything of the session: nobody is admitted unverified for
 * that (docs/decisions/0046-many-sessions-in-a-call.md).
 * @param why BUSY_ASKING or UNCONFIRMED
 */
export function admitUnanswered(request: Request, verdict: Verdict, why: u32): u32 {
  const spent = spend(request, STANDS, verdict);
  if (isMiss(spent) || isAsk(spent) || wantsLease(spent)) return denyMiss(verdict, why);
  return outcomeOf(request, spent, verdict);
}

/** The set is full, or the cas bound was reached while an answer was written. */
export function admitWithoutRecord(epoch: Epoch, insertOutcome: u32): u32 {
  return insertOutcome == SET_FULL
    ? passOrDeny(epoch.policy.onTableFull == ON_TABLE_FULL_ALLOW)
    : passOrDeny(epoch.policy.onContention == ON_CONTENTION_ALLOW);
}

/**
 * Flagged or idle here: the control plane knows of other edges. If it cannot be asked, the record stands. Or its further
 * levels are not those of its plan's limits: the control plane knows what was spent from those.
 */
function admitAfterAsk(request: Request, asks: u32, verdict: Verdict): u32 {
  if (!shouldHoldBack()) {
    const leasePlan = asks == ASK_WITH_LEASE ? <i32>verdict.planIndex : -1;
    return ask(request, false, verdict, asks != ASK, leasePlan);
  }
  return isUnreachable() ? admitUnreachable(request, verdict) : admitUnanswered(request, verdict, UNCONFIRMED);
}

/**
 * No usable record. A token that is not genuine costs the control plane nothing. How old a genuine one may be it decides
 * itself: the clock here may be wrong.
 */
function admitMiss(request: Request, miss: u32, verdict: Verdict): u32 {
  const token = request.token;
  const keys = keysWithId(keyIdOfToken(token));
  if (keys == 0 || !tagMatches(token, tokenKeyStateOf(keys))) return denyToken(verdict, FORGED);
  if (!hasIssuedId(token)) return INVALID_TOKEN;
  const leasePlan = fleetPlanOf(request);
  const policy = request.epoch.policy;
  // What all edges spend together is nothing to be trusted with.
  if (policy.onMiss == ON_MISS_TRUST && leasePlan < 0 && !isTooOld(request)) return admitUnverified(request, verdict);
  return ask(request, miss == MISS, verdict, false, leasePlan);
}

/** Asks the control plane, unless the request has asked enough: it was answered each time, so it is there. */
function ask(request: Request, mayInsert: bool, verdict: Verdict, withRow: bool, leasePlan: i32): u32 {
  if (request.asks == MAX_ASKS) return admitUnanswered(request, verdict, UNCONFIRMED);
  const costs: usize = leasePlan < 0 ? 0 : leaseCosts(request, leasePlan);
  const asked = askFor(request, mayInsert, withRow, verdict.readAtUs, leasePlan, costs);
  if (asked == WAITS) return HELD;
  return asked == BUSY ? admitUnanswered(request, verdict, BUSY_ASKING) : admitUnreachable(request, verdict);
}

/** The index of the plan that the token names, where that is of scope fleet, or -1. */
function fleetPlanOf(request: Request): i32 {
  const epoch = request.epoch;
  const limits = epoch.limits;
  const planIndex = epoch.policy.planIndexById(planIdOf(request.token));
  return limits !== null && planIndex >= 0 && limits.isFleet(planIndex) ? planIndex : -1;
}

/** Older, by the clock here, than a session of any plan may be. */
function isTooOld(request: Request): bool {
  return issuedAtMs(request.token) + request.epoch.longestLifetimeMs < wallMs();
}

/** The token itself says the plan and, by its time, the end. */
function admitUnverified(request: Request, verdict: Verdict): u32 {
  const token = request.token;
  const policy = request.epoch.policy;
  const planIndex = policy.planIndexById(planIdOf(token));
  if (planIndex < 0) return waitForPlan(request);
  const lifetimeMs = unchecked(policy.plans[planIndex]).lifetimeMs;
  const endsAtMs = issuedAtMs(token) + lifetimeMs;
  const nowMs = wallMs();
  if (endsAtMs <= nowMs) return denyToken(verdict, TOO_OLD);
  // Where the clock here is behind, the token comes from the future: no session lives longer than its plan says.
  const inserted = insertProvisional(request.root, token, planIndex, min(endsAtMs - nowMs, lifetimeMs));
  if (inserted == SET_FULL || inserted == INSERT_CONTENDED) return admitWithoutRecord(request.epoch, inserted);
  verdict.why = UNVERIFIED;
  return admitTrusted(request, verdict);
}

/** On a record that stands whatever is in doubt. Levels of its plan's limits that it lacks are made. */
function admitTrusted(request: Request, verdict: Verdict): u32 {
  let spent = spend(request, STANDS_UNCONFIRMED, verdict);
  if (isAsk(spent)) {
    const made = insertLimits(request.root, request.token);
    if (made != LIMITS_MADE)
      return admitWithoutRecord(request.epoch, made == LIMITS_FULL ? SET_FULL : INSERT_CONTENDED);
    spent = spend(request, STANDS_UNCONFIRMED, verdict);
  }
  if (wantsLease(spent)) return denyMiss(verdict, UNCONFIRMED);
  return outcomeOf(request, isMiss(spent) || isAsk(spent) ? CONTENDED : spent, verdict);
}

/** The outcome of what spending came to, be it an outcome already or not. */
function outcomeOf(request: Request, spent: u32, verdict: Verdict): u32 {
  if (spent < MISS) return spent;
  if (wantsLease(spent)) return admitOnLease(request, spent, verdict);
  if (spent == UNKNOWN_PLAN) return waitForPlan(request);
  return passOrDeny(request.epoch.policy.onContention == ON_CONTENTION_ALLOW);
}

/** The policy in force here lacks the session's plan: one that has it may be on its way. */
function waitForPlan(request: Request): u32 {
  return holdForPlan(request) ? HELD : CANNOT_DECIDE;
}

/** Whether the plan of the record that was read does. */
function trustsRecord(request: Request, verdict: Verdict): bool {
  return request.epoch.policy.onUnreachableOfPlan(verdict.planIndex) == ON_UNREACHABLE_TRUST;
}

/** Whether the token's plan trusts what cannot be asked about. */
function trustsPlanOf(request: Request): bool {
  const policy = request.epoch.policy;
  return policy.onUnreachableOfPlan(policy.planIndexById(planIdOf(request.token))) == ON_UNREACHABLE_TRUST;
}

function denyToken(verdict: Verdict, why: u32): u32 {
  verdict.why = why;
  return INVALID_TOKEN;
}

function denyMiss(verdict: Verdict, why: u32): u32 {
  verdict.why = why;
  return CANNOT_DECIDE;
}

function passOrDeny(pass: bool): u32 {
  return pass ? UNMETERED : CANNOT_DECIDE;
}
