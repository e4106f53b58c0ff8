// Answering a request in place of the upstream, in the form that the policy wants. Only apply.ts does.
import { sendLocalReply } from "../../host/exit";
import { addressOf } from "../../memory/bytes";
import { PAIRS_BUFFER, addFixedPair, startPairs, writePairs } from "../../memory/header-pairs";
import { CONTENT_TYPE, Denial, DenialTexts, GRPC_UNAVAILABLE } from "../state/denial-texts";
import { Epoch } from "../state/epoch";
import { addLimitHeaders, addRetryAfter } from "./limit-headers";

/** 401: no token. */
export function replyMissing(denials: DenialTexts): void {
  replyFixed(denials.missing, denials.challengePairs);
}

/** 401: no valid token, or its session has ended. */
export function replyInvalid(denials: DenialTexts): void {
  replyFixed(denials.invalid, denials.challengePairs);
}

/** 503: the limiter cannot decide. */
export function replyUnavailable(denials: DenialTexts): void {
  replyFixed(denials.unavailable, denials.unavailablePairs);
}

/** 503: too many sessions are being asked about. */
export function replyBusy(denials: DenialTexts): void {
  replyFixed(denials.busy, denials.retryPairs);
}

/** 503: this edge has no policy yet. */
export function replyNoPolicy(denials: DenialTexts): void {
  replyFixed(denials.noPolicy, denials.retryPairs);
}

/** An answer that is the same for everybody. */
function replyFixed(denial: Denial, pairs: ArrayBuffer): void {
  send(denial, addressOf(pairs), pairs.byteLength);
}

/** 429: the bucket of this plan holds `levelPico`, less than the request's cost. */
export function replyLimited(epoch: Epoch, planIndex: u32, levelPico: i64, cost: u32): void {
  start(epoch);
  addLimitHeaders(epoch, planIndex, levelPico);
  addRetryAfter(unchecked(epoch.policy.plans[planIndex]), levelPico, cost);
  reply(epoch.denials.limited);
}

/** 429: the session has spent its budget; waiting does not help. */
export function replyBudgetSpent(epoch: Epoch, planIndex: u32, levelPico: i64): void {
  start(epoch);
  addLimitHeaders(epoch, planIndex, levelPico);
  reply(epoch.denials.budgetSpent);
}

/** 503 without a policy to say how: Envoy runs no stream under a root that it did not configure. */
export function replyUnconfigured(): void {
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
