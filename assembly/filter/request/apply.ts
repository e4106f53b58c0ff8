// Carrying a verdict out: the one place that counts what became of a request, notes what its response will say, and lets
// it go, answers it, or has it wait (docs/decisions/0039-one-exit.md).
import { ENFORCEMENT_ENFORCE, ENFORCEMENT_OFF, enforcementKind } from "../../domain/policy/enforcement";
import { OPEN_STREAMS_CLOSE, RESPONSE_HEADERS_NONE, RESPONSE_LIMITS_ALL } from "../../domain/policy/model";
import { CONTINUE, PAUSE } from "../../host/stream";
import { resumeRequest } from "../../host/exit";
import { Epoch } from "../state/epoch";
import { PLAN_ALLOWED, PLAN_LIMITED, PLAN_SHADOW_LIMITED, PLAN_TOKENS } from "../state/plan-counts";
import { noteOpenStream } from "../state/open-streams";
import { Request } from "../state/request";
import { annotate } from "./annotate";
import {
  ALLOWED_UNMETERED,
  CAS_EXHAUSTED,
  CAS_RETRIES,
  EXEMPTED,
  INVALID,
  MISSING,
  MISS_BUSY,
  MISS_DENIED,
  MISS_FORGED,
  MISS_TOO_OLD,
  MISS_UNVERIFIED,
  NO_POLICY_YET,
  SHADOW_INVALID,
  SHADOW_MISSING,
  SHADOW_UNAVAILABLE,
  STREAMS_UNTRACKED,
  UNAVAILABLE,
  count,
  countMany,
} from "../vm/counters";
import { LEASE_WAITS, REFUSED_HERE, countLease } from "../vm/lease-counters";
import { enforcementOfDenial } from "./enforced";
import {
  replyBudgetSpent,
  replyBusy,
  replyInvalid,
  replyLimited,
  replyMissing,
  replyNoPolicy,
  replyUnavailable,
  replyUnconfigured,
} from "./reply";
import { consumedAtOnce } from "./reservation";
import { reserve } from "./reserve";
import { noteBucket, noteLimits } from "./streams";
import { removeTokens, setIdentity } from "./upstream-headers";
import {
  ALLOWED,
  BUDGET_SPENT,
  BUSY_ASKING,
  DENIED,
  EXEMPT,
  FORGED,
  HELD,
  INVALID_TOKEN,
  LIMITED,
  MISSING_TOKEN,
  NOT_ENFORCED,
  NO_POLICY_IN_FORCE,
  NO_REASON,
  REFUSED_BEFORE,
  TOO_OLD,
  UNVERIFIED,
  UNCONFIGURED,
  UNMETERED,
  Verdict,
  WITHOUT_LEASE,
} from "./verdict";

/** @returns what the callback for the request's headers returns: CONTINUE, or PAUSE if it was answered or waits */
export function apply(request: Request, verdict: Verdict): u32 {
  const action = carryOut(request, verdict);
  const outcome = verdict.outcome;
  if (outcome != HELD && outcome != UNCONFIGURED && request.epoch.marksRequests)
    mark(request, verdict, action == CONTINUE);
  return action;
}

/** Says what the policy wants said of the request, to access logs and, where it goes on, to the service. */
function mark(request: Request, verdict: Verdict, passes: bool): void {
  const policy = request.epoch.policy;
  if (policy.annotate != 0) annotate(request, verdict, passes);
  if (!passes) return;
  if (!policy.forwardToken) removeTokens(request);
  if (policy.identity) setIdentity(request, verdict);
}

function carryOut(request: Request, verdict: Verdict): u32 {
  countHow(verdict);
  const outcome = verdict.outcome;
  if (outcome == ALLOWED) {
    countAllowed(request, verdict);
    return CONTINUE;
  }
  if (outcome >= DENIED) return applyDenial(request, verdict);
  switch (outcome) {
    case NOT_ENFORCED: {
      return CONTINUE;
    }
    case EXEMPT: {
      count(EXEMPTED);
      return CONTINUE;
    }
    case UNMETERED: {
      count(ALLOWED_UNMETERED);
      trackStream(request, verdict);
      return CONTINUE;
    }
    case HELD: {
      return PAUSE;
    }
    case UNCONFIGURED:
    default: {
      replyUnconfigured();
      return PAUSE;
    }
  }
}

/** Applies the verdict to a request that has waited; its stream is entered. */
export function applyToWaiting(request: Request, verdict: Verdict): void {
  if (apply(request, verdict) == CONTINUE) resumeRequest();
}

function applyDenial(request: Request, verdict: Verdict): u32 {
  if (request.epoch.enforcesAll) return deny(request, verdict);
  const enforcement = enforcementOfDenial(request, verdict);
  if (enforcement == ENFORCEMENT_ENFORCE) return deny(request, verdict);
  if (enforcement != ENFORCEMENT_OFF) passDenied(request, verdict);
  // `off`: whatever was found out on the way, neither access logs nor the service are told of the session.
  else verdict.outcome = NOT_ENFORCED;
  return CONTINUE;
}

function deny(request: Request, verdict: Verdict): u32 {
  switch (verdict.outcome) {
    case LIMITED: {
      countLimited(request, verdict);
      replyLimited(request, verdict);
      return PAUSE;
    }
    case BUDGET_SPENT: {
      countLimited(request, verdict);
      replyBudgetSpent(request, verdict);
      return PAUSE;
    }
    case MISSING_TOKEN: {
      count(MISSING);
      replyMissing(request.epoch.denials);
      return PAUSE;
    }
    case INVALID_TOKEN: {
      count(INVALID);
      replyInvalid(request.epoch.denials);
      return PAUSE;
    }
    case NO_POLICY_IN_FORCE: {
      count(NO_POLICY_YET);
      replyNoPolicy(request.epoch.denials);
      return PAUSE;
    }
    default: {
      count(UNAVAILABLE);
      if (verdict.why == BUSY_ASKING) replyBusy(request.epoch.denials);
      else replyUnavailable(request.epoch.denials);
      return PAUSE;
    }
  }
}

/** Counts what would have been answered, and notes what its response will say of the bucket. */
function passDenied(request: Request, verdict: Verdict): void {
  switch (verdict.outcome) {
    case LIMITED:
    case BUDGET_SPENT: {
      countLimit(request, verdict, PLAN_SHADOW_LIMITED);
      noteLevel(request, request.epoch, verdict);
      trackStream(request, verdict);
      break;
    }
    case MISSING_TOKEN: {
      count(SHADOW_MISSING);
      break;
    }
    case INVALID_TOKEN: {
      count(SHADOW_INVALID);
      break;
    }
    default: {
      count(SHADOW_UNAVAILABLE);
    }
  }
}

/** How it came to the outcome, whichever it is. */
function countHow(verdict: Verdict): void {
  if (verdict.why != NO_REASON) countWhy(verdict.why);
  if (verdict.casRetries == 0) return;
  countMany(CAS_RETRIES, verdict.casRetries);
  if (verdict.casExhausted) count(CAS_EXHAUSTED);
}

function countWhy(why: u32): void {
  if (why == REFUSED_BEFORE) countLease(REFUSED_HERE, 1);
  else if (why == WITHOUT_LEASE) countLease(LEASE_WAITS, 1);
  else count(counterOf(why));
}

function counterOf(why: u32): u32 {
  if (why == FORGED) return MISS_FORGED;
  if (why == TOO_OLD) return MISS_TOO_OLD;
  if (why == BUSY_ASKING) return MISS_BUSY;
  return why == UNVERIFIED ? MISS_UNVERIFIED : MISS_DENIED;
}

function countAllowed(request: Request, verdict: Verdict): void {
  const epoch = request.epoch;
  const planIndex = verdict.planIndex;
  epoch.planCounts.count(PLAN_ALLOWED, planIndex, 1);
  epoch.planCounts.count(PLAN_TOKENS, planIndex, consumedAtOnce(request));
  if (request.settleRule != 0) reserve(request, verdict);
  noteLevel(request, epoch, verdict);
  trackStream(request, verdict);
}

function noteLevel(request: Request, epoch: Epoch, verdict: Verdict): void {
  if (epoch.policy.responseHeaders == RESPONSE_HEADERS_NONE) return;
  const planIndex = verdict.planIndex;
  noteBucket(request.contextId, request.slot, epoch.number, planIndex, verdict.levelPico);
  if (epoch.limitsBeside(planIndex) === null) return;
  const buckets = epoch.policy.responseLimits == RESPONSE_LIMITS_ALL ? verdict.buckets : 0;
  noteLimits(request.contextId, verdict.limit, request.limitCosts, buckets);
}

/** It may turn out a long one: a websocket, an event stream. Noted under any policy, since that may change meanwhile. */
function trackStream(request: Request, verdict: Verdict): void {
  const enforcement = enforcementKind(request.enforcement);
  if (noteOpenStream(request.contextId, request.slot, request.token, enforcement, verdict.readAtUs)) return;
  if (request.epoch.policy.openStreams == OPEN_STREAMS_CLOSE) count(STREAMS_UNTRACKED);
}

function countLimited(request: Request, verdict: Verdict): void {
  countLimit(request, verdict, PLAN_LIMITED);
}

/** Counts by the limit that denied: the plan's own bucket, or a further one. */
function countLimit(request: Request, verdict: Verdict, which: u32): void {
  const epoch = request.epoch;
  const limits = epoch.limits;
  const planIndex = verdict.planIndex;
  if (limits === null || verdict.limit == 0) epoch.planCounts.count(which, planIndex, 1);
  else epoch.planCounts.countLimit(which, limits.numberOf(limits.limitOf(planIndex, verdict.limit)));
}
