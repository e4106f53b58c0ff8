// Deciding on a request whose token is well formed: by its session's record, by asking the control plane, or by what the
// policy says where neither can be had. Each function returns an outcome of verdict.ts.
import {
  ON_CONTENTION_ALLOW,
  ON_MISS_TRUST,
  ON_TABLE_FULL_ALLOW,
  ON_UNREACHABLE_TRUST,
} from "../../domain/policy/model";
import { tokenKeyStateOf } from "../../domain/token/keys";
import { issuedAtMs, keyIdOfToken, planIdOf, tagMatches } from "../../domain/token/token";
import { wallMs } from "../../host/clock";
import { WAITER_LIMIT_REACHED, WAITS, askFor, shouldHoldBack } from "../edge/acquire";
import { holdForPlan } from "./held";
import { INSERT_CONTENDED, SET_FULL, insertProvisional } from "../table/insert";
import { keysWithId } from "../vm/process";
import { Epoch } from "../state/epoch";
import { Request } from "../state/request";
import {
  ASK,
  ASK_FIRST,
  CONTENDED,
  MISS,
  MISS_ON_RECORD,
  STANDS,
  STANDS_UNCONFIRMED,
  UNKNOWN_PLAN,
  isMiss,
  spend,
} from "./spend";
import {
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
  return spent == ASK ? admitAfterAsk(request, verdict) : settle(request, spent);
}

/** On the record that stands: the control plane was asked, or cannot be. */
export function admitOnRecord(request: Request, verdict: Verdict): u32 {
  const spent = spend(request, STANDS, verdict);
  return isMiss(spent) ? admitMiss(request, spent, verdict) : settle(request, spent);
}

/** The same where the control plane could not be asked: a miss follows the policy's `onUnreachable`. */
export function admitUnreachable(request: Request, verdict: Verdict): u32 {
  const trust = request.epoch.policy.onUnreachable == ON_UNREACHABLE_TRUST;
  const spent = spend(request, trust ? STANDS_UNCONFIRMED : STANDS, verdict);
  if (!isMiss(spent)) return settle(request, spent);
  return trust ? admitUnverified(request, verdict) : denyMiss(verdict);
}

/** The set is full, or the cas bound was reached while an answer was written. */
export function admitWithoutRecord(epoch: Epoch, insertOutcome: u32): u32 {
  return insertOutcome == SET_FULL
    ? passOrDeny(epoch.policy.onTableFull == ON_TABLE_FULL_ALLOW)
    : passOrDeny(epoch.policy.onContention == ON_CONTENTION_ALLOW);
}

/** Flagged or idle here: the control plane knows of other edges. If it cannot be asked, the record stands. */
function admitAfterAsk(request: Request, verdict: Verdict): u32 {
  const mayAsk = request.asks < MAX_ASKS && !shouldHoldBack();
  if (mayAsk && askFor(request, false, verdict.readAtUs) == WAITS) return HELD;
  request.asks = MAX_ASKS;
  return admitOnRecord(request, verdict);
}

/** No usable record. A token that is not genuine, or too old for any plan, costs the control plane nothing. */
function admitMiss(request: Request, miss: u32, verdict: Verdict): u32 {
  const token = request.token;
  const keys = keysWithId(keyIdOfToken(token));
  if (keys == 0 || !tagMatches(token, tokenKeyStateOf(keys))) return denyToken(verdict, FORGED);
  const epoch = request.epoch;
  if (issuedAtMs(token) + epoch.longestLifetimeMs < wallMs()) return denyToken(verdict, TOO_OLD);
  if (epoch.policy.onMiss == ON_MISS_TRUST) return admitUnverified(request, verdict);
  if (request.asks < MAX_ASKS) {
    const asked = askFor(request, miss != MISS_ON_RECORD, verdict.readAtUs);
    if (asked == WAITS) return HELD;
    // The control plane is there: the waiter limit of one session is no reason for an unverified admission.
    if (asked == WAITER_LIMIT_REACHED) return denyMiss(verdict);
  }
  return admitUnreachable(request, verdict);
}

/** The token itself says the plan and, by its time, the end. */
function admitUnverified(request: Request, verdict: Verdict): u32 {
  const token = request.token;
  const policy = request.epoch.policy;
  const planIndex = policy.planIndexById(planIdOf(token));
  if (planIndex < 0) return waitForPlan(request);
  const endsAtMs = issuedAtMs(token) + unchecked(policy.plans[planIndex]).lifetimeMs;
  const nowMs = wallMs();
  if (endsAtMs <= nowMs) return denyToken(verdict, TOO_OLD);
  const inserted = insertProvisional(request.root, token, planIndex, endsAtMs - nowMs);
  if (inserted == SET_FULL || inserted == INSERT_CONTENDED) return admitWithoutRecord(request.epoch, inserted);
  verdict.why = UNVERIFIED;
  const spent = spend(request, STANDS_UNCONFIRMED, verdict);
  return settle(request, isMiss(spent) ? CONTENDED : spent);
}

/** The outcome of what spending came to, be it an outcome already or not. */
function settle(request: Request, spent: u32): u32 {
  if (spent < MISS) return spent;
  if (spent == UNKNOWN_PLAN) return waitForPlan(request);
  return passOrDeny(request.epoch.policy.onContention == ON_CONTENTION_ALLOW);
}

/** The policy in force here lacks the session's plan: one that has it may be on its way. */
function waitForPlan(request: Request): u32 {
  return holdForPlan(request) ? HELD : CANNOT_DECIDE;
}

function denyToken(verdict: Verdict, why: u32): u32 {
  verdict.why = why;
  return INVALID_TOKEN;
}

function denyMiss(verdict: Verdict): u32 {
  verdict.why = UNCONFIRMED;
  return CANNOT_DECIDE;
}

function passOrDeny(pass: bool): u32 {
  return pass ? UNMETERED : CANNOT_DECIDE;
}
