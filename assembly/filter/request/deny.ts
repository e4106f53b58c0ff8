// Answering a request in place of the upstream. Each returns nothing: a denial is an outcome, and this is its form.
import { sendLocalReply } from "../../host/stream";
import { addressOf } from "../../memory/bytes";
import { PAIRS_BUFFER, addFixedPair, startPairs, writePairs } from "../../memory/header-pairs";
import { INVALID, MISSING, NO_POLICY_YET, UNAVAILABLE, count } from "../vm/counters";
import { CONTENT_TYPE, Denial, GRPC_UNAVAILABLE } from "../state/denial-texts";
import { Epoch } from "../state/epoch";
import { addLimitHeaders, addRetryAfter } from "./limit-headers";
import { PLAN_LIMITED } from "../state/plan-counts";

/** 401: no token. */
export function denyMissing(epoch: Epoch): void {
  count(MISSING);
  replyFixed(epoch.denials.missing, epoch.denials.challengePairs);
}

/** 401: no valid token, or its session has ended. */
export function denyInvalid(epoch: Epoch): void {
  count(INVALID);
  replyFixed(epoch.denials.invalid, epoch.denials.challengePairs);
}

/** 429: the bucket holds less than the request's cost. */
export function denyLimited(epoch: Epoch, planIndex: u32, levelPico: i64, cost: u32): void {
  epoch.planCounts.count(PLAN_LIMITED, planIndex, 1);
  start(epoch);
  addLimitHeaders(epoch, planIndex, levelPico);
  addRetryAfter(unchecked(epoch.policy.plans[planIndex]), levelPico, cost);
  reply(epoch.denials.limited);
}

/** 429: the session has spent its budget; waiting does not help. */
export function denyBudgetSpent(epoch: Epoch, planIndex: u32, levelPico: i64): void {
  epoch.planCounts.count(PLAN_LIMITED, planIndex, 1);
  start(epoch);
  addLimitHeaders(epoch, planIndex, levelPico);
  reply(epoch.denials.budgetSpent);
}

/** 503: the limiter cannot decide. */
export function denyUnavailable(epoch: Epoch): void {
  count(UNAVAILABLE);
  replyFixed(epoch.denials.unavailable, epoch.denials.unavailablePairs);
}

/** 503: this edge has no policy yet. */
export function denyNoPolicy(epoch: Epoch): void {
  count(NO_POLICY_YET);
  replyFixed(epoch.denials.noPolicy, epoch.denials.retryPairs);
}

/** 503 without a policy to say how: Envoy runs no stream under a root that it did not configure. */
export function denyUnconfigured(): void {
  sendLocalReply(503, 0, 0, 0, 0, 0, 0, GRPC_UNAVAILABLE);
}

function start(epoch: Epoch): void {
  startPairs();
  addFixedPair(CONTENT_TYPE, epoch.denials.contentType);
}

/** With the pairs noted since `start`. */
function reply(denial: Denial): void {
  const pairsBytes = writePairs();
  send(denial, PAIRS_BUFFER, pairsBytes);
}

function replyFixed(denial: Denial, pairs: ArrayBuffer): void {
  send(denial, addressOf(pairs), pairs.byteLength);
}

function send(denial: Denial, pairs: usize, pairsBytes: u32): void {
  const details = denial.details;
  const body = denial.body;
  sendLocalReply(
    denial.status,
    addressOf(details),
    details.byteLength,
    addressOf(body),
    body.byteLength,
    pairs,
    pairsBytes,
    denial.grpcStatus,
  );
}
