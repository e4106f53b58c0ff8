// From what came of the bucket to what becomes of the request: let it go, hold it, or answer it. A host-side failure
// becomes what the policy says for it.
import {
  ON_CONTENTION_ALLOW,
  ON_MISS_TRUST,
  ON_TABLE_FULL_ALLOW,
  ON_UNREACHABLE_TRUST,
  RESPONSE_HEADERS_NONE,
} from "../../domain/policy/model";
import { tokenKeyStateOf } from "../../domain/token/keys";
import { issuedAtMs, keyIdOfToken, planIdOf, tagMatches } from "../../domain/token/token";
import { wallMs } from "../../host/clock";
import { WAITER_LIMIT_REACHED, WAITS, askFor, shouldHoldBack } from "../edge/acquire";
import { ALLOWED_UNMETERED, MISS_DENIED, MISS_FORGED, MISS_TOO_OLD, MISS_TRUSTED, count } from "../vm/counters";
import { denyBudgetSpent, denyInvalid, denyLimited, denyUnavailable } from "./deny";
import { holdForPlan } from "./held";
import { INSERT_CONTENDED, SET_FULL, insertProvisional } from "../table/insert";
import { PLAN_ALLOWED, PLAN_TOKENS } from "../state/plan-counts";
import { keysWithId } from "../vm/process";
import { Root } from "../state/roots";
import {
  ALLOWED,
  ASK,
  ASK_FIRST,
  BUDGET_SPENT,
  CONTENDED,
  INVALID_TOKEN,
  LIMITED,
  MISS,
  STANDS,
  STANDS_UNCONFIRMED,
  UNKNOWN_PLAN,
  spend,
  spendClockUs,
  spendFoundRecord,
  spendLevelPico,
  spendPlanIndex,
} from "./spend";
import { noteBucket } from "./streams";

// What becomes of a request.
export const GO: u32 = 0;
/** It waits for the control plane. */
export const HELD: u32 = 1;
export const ANSWERED: u32 = 2;

/** A request whose record comes and goes between its asks gives up after so many. */
export const MAX_ASKS: u32 = 3;
/** Until routes set it. */
const COST: u32 = 1;

/** Admits a request whose token is well formed. `asks`: how often it has asked the control plane already. */
export function admit(root: Root, slot: u32, contextId: u32, token: usize, asks: u32): u32 {
  const outcome = spend(root, token, COST, ASK_FIRST);
  if (outcome == MISS) return admitMiss(root, slot, contextId, token, asks);
  if (outcome == ASK) return admitAfterAsk(root, slot, contextId, token, asks);
  return settle(root, slot, contextId, outcome, asks);
}

/** Admits a request on the record that stands: the control plane was asked, or cannot be. */
export function admitOnRecord(root: Root, slot: u32, contextId: u32, token: usize, asks: u32): u32 {
  const outcome = spend(root, token, COST, STANDS);
  return outcome == MISS ? admitMiss(root, slot, contextId, token, asks) : settle(root, slot, contextId, outcome, asks);
}

/** The same where the control plane could not be asked: a miss follows the policy's `onUnreachable`. */
export function admitUnreachable(root: Root, slot: u32, contextId: u32, token: usize, asks: u32): u32 {
  const trust = root.epoch.policy.onUnreachable == ON_UNREACHABLE_TRUST;
  const outcome = spend(root, token, COST, trust ? STANDS_UNCONFIRMED : STANDS);
  if (outcome != MISS) return settle(root, slot, contextId, outcome, asks);
  return trust ? admitOnTrust(root, slot, contextId, token, asks) : denyMiss(root);
}

function denyMiss(root: Root): u32 {
  count(MISS_DENIED);
  denyUnavailable(root.epoch);
  return ANSWERED;
}

/** The set is full, or the cas bound was reached while an answer was written. */
export function admitWithoutRecord(root: Root, insertOutcome: u32): u32 {
  if (insertOutcome == SET_FULL) return passOrDeny(root, root.epoch.policy.onTableFull == ON_TABLE_FULL_ALLOW);
  return passOrDeny(root, root.epoch.policy.onContention == ON_CONTENTION_ALLOW);
}

/** Flagged or idle here: the control plane knows of other edges. If it cannot be asked, the record stands. */
function admitAfterAsk(root: Root, slot: u32, contextId: u32, token: usize, asks: u32): u32 {
  const mayAsk = asks < MAX_ASKS && !shouldHoldBack();
  if (mayAsk && askFor(root, contextId, token, false, spendClockUs(), asks + 1) == WAITS) return HELD;
  return admitOnRecord(root, slot, contextId, token, MAX_ASKS);
}

/** No usable record. A token that is not genuine, or too old for any plan, costs the control plane nothing. */
function admitMiss(root: Root, slot: u32, contextId: u32, token: usize, asks: u32): u32 {
  const askedAtUs = spendClockUs();
  const mayInsert = !spendFoundRecord();
  const keys = keysWithId(keyIdOfToken(token));
  if (keys == 0 || !tagMatches(token, tokenKeyStateOf(keys))) {
    count(MISS_FORGED);
    denyInvalid(root.epoch);
    return ANSWERED;
  }
  if (issuedAtMs(token) + root.epoch.longestLifetimeMs < wallMs()) {
    count(MISS_TOO_OLD);
    denyInvalid(root.epoch);
    return ANSWERED;
  }
  if (root.epoch.policy.onMiss == ON_MISS_TRUST) return admitOnTrust(root, slot, contextId, token, asks);
  if (asks < MAX_ASKS) {
    const asked = askFor(root, contextId, token, mayInsert, askedAtUs, asks + 1);
    if (asked == WAITS) return HELD;
    // The control plane is there: a crowd of one session's requests is no reason to trust it.
    if (asked == WAITER_LIMIT_REACHED) return denyMiss(root);
  }
  return admitUnreachable(root, slot, contextId, token, asks);
}

/** The token itself says the plan and, by its time, the end. */
function admitOnTrust(root: Root, slot: u32, contextId: u32, token: usize, asks: u32): u32 {
  const planIndex = root.epoch.policy.planIndexById(planIdOf(token));
  if (planIndex < 0) return waitForPlan(root, contextId, asks);
  const endsAtMs = issuedAtMs(token) + unchecked(root.epoch.policy.plans[planIndex]).lifetimeMs;
  const nowMs = wallMs();
  if (endsAtMs <= nowMs) {
    count(MISS_TOO_OLD);
    denyInvalid(root.epoch);
    return ANSWERED;
  }
  const inserted = insertProvisional(root, token, planIndex, endsAtMs - nowMs);
  if (inserted == SET_FULL || inserted == INSERT_CONTENDED) return admitWithoutRecord(root, inserted);
  count(MISS_TRUSTED);
  const outcome = spend(root, token, COST, STANDS_UNCONFIRMED);
  return settle(root, slot, contextId, outcome == MISS ? CONTENDED : outcome, asks);
}

function settle(root: Root, slot: u32, contextId: u32, outcome: u32, asks: u32): u32 {
  if (outcome == ALLOWED) {
    const planIndex = spendPlanIndex();
    root.epoch.planCounts.count(PLAN_ALLOWED, planIndex, 1);
    root.epoch.planCounts.count(PLAN_TOKENS, planIndex, COST);
    if (root.epoch.policy.responseHeaders != RESPONSE_HEADERS_NONE)
      noteBucket(contextId, slot, root.epoch.number, planIndex, spendLevelPico());
    return GO;
  }
  if (outcome == CONTENDED) return passOrDeny(root, root.epoch.policy.onContention == ON_CONTENTION_ALLOW);
  if (outcome == LIMITED) denyLimited(root.epoch, spendPlanIndex(), spendLevelPico(), COST);
  else if (outcome == BUDGET_SPENT) denyBudgetSpent(root.epoch, spendPlanIndex(), spendLevelPico());
  else if (outcome == INVALID_TOKEN) denyInvalid(root.epoch);
  else if (outcome == UNKNOWN_PLAN) return waitForPlan(root, contextId, asks);
  else denyUnavailable(root.epoch);
  return ANSWERED;
}

/** The policy in force here lacks the session's plan: one that has it may be on its way. */
function waitForPlan(root: Root, contextId: u32, asks: u32): u32 {
  if (holdForPlan(root, contextId, asks)) return HELD;
  denyUnavailable(root.epoch);
  return ANSWERED;
}

function passOrDeny(root: Root, pass: bool): u32 {
  if (pass) {
    count(ALLOWED_UNMETERED);
    return GO;
  }
  denyUnavailable(root.epoch);
  return ANSWERED;
}
