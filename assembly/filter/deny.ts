// Answering a request in place of the upstream. Each returns nothing: a denial is an outcome, and this is its form.
import { sendLocalReply } from "../host/stream";
import { addressOf } from "../memory/bytes";
import { PAIRS_BUFFER, addFixedPair, startPairs, writePairs } from "../memory/header-pairs";
import { INVALID, MISSING, PLAN_LIMITED, UNAVAILABLE } from "./counters";
import { CONTENT_TYPE, Denial, GRPC_UNAVAILABLE } from "./denial-texts";
import { addLimitHeaders, addRetryAfter } from "./limit-headers";
import { Root } from "./roots";

/** 401: no token. */
export function denyMissing(root: Root): void {
  root.counters.count(MISSING);
  replyFixed(root.denials.missing, root.denials.challengePairs);
}

/** 401: no valid token, or its session has ended. */
export function denyInvalid(root: Root): void {
  root.counters.count(INVALID);
  replyFixed(root.denials.invalid, root.denials.challengePairs);
}

/** 429: the bucket holds less than the request's cost. */
export function denyLimited(root: Root, planIndex: u32, levelPico: i64, cost: u32): void {
  root.counters.countPlan(PLAN_LIMITED, planIndex, 1);
  start(root);
  addLimitHeaders(root, planIndex, levelPico);
  addRetryAfter(unchecked(root.policy.plans[planIndex]), levelPico, cost);
  reply(root.denials.limited);
}

/** 429: the session has spent its budget; waiting does not help. */
export function denyBudgetSpent(root: Root, planIndex: u32, levelPico: i64): void {
  root.counters.countPlan(PLAN_LIMITED, planIndex, 1);
  start(root);
  addLimitHeaders(root, planIndex, levelPico);
  reply(root.denials.budgetSpent);
}

/** 503: the limiter cannot decide. */
export function denyUnavailable(root: Root): void {
  root.counters.count(UNAVAILABLE);
  replyFixed(root.denials.unavailable, root.denials.unavailablePairs);
}

/** 503 without a policy to say how: Envoy runs no stream under a root that it did not configure. */
export function denyUnconfigured(): void {
  sendLocalReply(503, 0, 0, 0, 0, 0, 0, GRPC_UNAVAILABLE);
}

function start(root: Root): void {
  startPairs();
  addFixedPair(CONTENT_TYPE, root.denials.contentType);
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
