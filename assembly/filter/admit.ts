// From what came of the bucket to what becomes of the request: let it go, hold it, or answer it. A host-side failure
// becomes what the policy says for it.
import {
  ON_CONTENTION_ALLOW,
  ON_MISS_TRUST,
  ON_TABLE_FULL_ALLOW,
  ON_UNREACHABLE_TRUST,
  RESPONSE_HEADERS_NONE,
} from "../domain/policy/model";
import { tokenKeyStateOf } from "../domain/keys";
import { issuedAtMs, keyIdOfToken, planIdOf, tagMatches } from "../domain/token";
import { wallMs } from "../host/clock";
import { CROWDED, WAITS, askFor, shouldHoldBack } from "./acquire";
import {
  ALLOWED_UNMETERED,
  MISS_DENIED,
  MISS_FORGED,
  MISS_TOO_OLD,
  MISS_TRUSTED,
  PLAN_ALLOWED,
  PLAN_TOKENS,
} from "./counters";
import { denyBudgetSpent, denyInvalid, denyLimited, denyUnavailable } from "./deny";
import { INSERT_CONTENDED, SET_FULL, insertProvisional } from "./insert";
import { keysWithId } from "./process";
import { Root } from "./roots";
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
  return settle(root, slot, contextId, outcome);
}

/** Admits a request on the record that stands: the control plane was asked, or cannot be. */
export function admitOnRecord(root: Root, slot: u32, contextId: u32, token: usize, asks: u32): u32 {
  const outcome = spend(root, token, COST, STANDS);
  return outcome == MISS ? admitMiss(root, slot, contextId, token, asks) : settle(root, slot, contextId, outcome);
}

/** The same where the control plane could not be asked: a miss follows the policy's `onUnreachable`. */
export function admitUnreachable(root: Root, slot: u32, contextId: u32, token: usize): u32 {
  const trust = root.policy.onUnreachable == ON_UNREACHABLE_TRUST;
  const outcome = spend(root, token, COST, trust ? STANDS_UNCONFIRMED : STANDS);
  if (outcome != MISS) return settle(root, slot, contextId, outcome);
  return trust ? admitOnTrust(root, slot, contextId, token) : denyMiss(root);
}

function denyMiss(root: Root): u32 {
  root.counters.count(MISS_DENIED);
  denyUnavailable(root);
  return ANSWERED;
}

/** The set is full, or the cas bound was reached while an answer was written. */
export function admitWithoutRecord(root: Root, insertOutcome: u32): u32 {
  if (insertOutcome == SET_FULL) return passOrDeny(root, root.policy.onTableFull == ON_TABLE_FULL_ALLOW);
  return passOrDeny(root, root.policy.onContention == ON_CONTENTION_ALLOW);
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
    root.counters.count(MISS_FORGED);
    denyInvalid(root);
    return ANSWERED;
  }
  if (issuedAtMs(token) + root.longestLifetimeMs < wallMs()) {
    root.counters.count(MISS_TOO_OLD);
    denyInvalid(root);
    return ANSWERED;
  }
  if (root.policy.onMiss == ON_MISS_TRUST) return admitOnTrust(root, slot, contextId, token);
  if (asks < MAX_ASKS) {
    const asked = askFor(root, contextId, token, mayInsert, askedAtUs, asks + 1);
    if (asked == WAITS) return HELD;
    // The control plane is there: a crowd of one session's requests is no reason to trust it.
    if (asked == CROWDED) return denyMiss(root);
  }
  return admitUnreachable(root, slot, contextId, token);
}

/** The token itself says the plan and, by its time, the end. */
function admitOnTrust(root: Root, slot: u32, contextId: u32, token: usize): u32 {
  const planIndex = root.policy.planIndexById(planIdOf(token));
  if (planIndex < 0) {
    denyUnavailable(root);
    return ANSWERED;
  }
  const endsAtMs = issuedAtMs(token) + unchecked(root.policy.plans[planIndex]).lifetimeMs;
  const nowMs = wallMs();
  if (endsAtMs <= nowMs) {
    root.counters.count(MISS_TOO_OLD);
    denyInvalid(root);
    return ANSWERED;
  }
  const inserted = insertProvisional(root, token, planIndex, endsAtMs - nowMs);
  if (inserted == SET_FULL || inserted == INSERT_CONTENDED) return admitWithoutRecord(root, inserted);
  root.counters.count(MISS_TRUSTED);
  const outcome = spend(root, token, COST, STANDS_UNCONFIRMED);
  return settle(root, slot, contextId, outcome == MISS ? CONTENDED : outcome);
}

function settle(root: Root, slot: u32, contextId: u32, outcome: u32): u32 {
  if (outcome == ALLOWED) {
    const planIndex = spendPlanIndex();
    root.counters.countPlan(PLAN_ALLOWED, planIndex, 1);
    root.counters.countPlan(PLAN_TOKENS, planIndex, COST);
    if (root.policy.responseHeaders != RESPONSE_HEADERS_NONE) noteBucket(contextId, slot, planIndex, spendLevelPico());
    return GO;
  }
  if (outcome == CONTENDED) return passOrDeny(root, root.policy.onContention == ON_CONTENTION_ALLOW);
  if (outcome == LIMITED) denyLimited(root, spendPlanIndex(), spendLevelPico(), COST);
  else if (outcome == BUDGET_SPENT) denyBudgetSpent(root, spendPlanIndex(), spendLevelPico());
  else if (outcome == INVALID_TOKEN) denyInvalid(root);
  // UNKNOWN_PLAN: the policy lacks the plan of this session.
  else denyUnavailable(root);
  return ANSWERED;
}

function passOrDeny(root: Root, pass: bool): u32 {
  if (pass) {
    root.counters.count(ALLOWED_UNMETERED);
    return GO;
  }
  denyUnavailable(root);
  return ANSWERED;
}
