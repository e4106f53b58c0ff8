// Answering a request in place of the upstream, in the form that its client reads and the policy wants. Only apply.ts does.
import { FORM_HTTP, answerFormOf } from "../../domain/grpc/answer-form";
import { sendLocalReply } from "../../host/exit";
import { headerBytes, headerValue, readRequestHeader } from "../../host/headers";
import { OK } from "../../host/status";
import { addressOf } from "../../memory/bytes";
import {
  NO_PAIRS,
  NO_PAIRS_BYTES,
  PAIRS_BUFFER,
  addFixedPair,
  startPairs,
  writePairs,
} from "../../memory/header-pairs";
import { CONTENT_TYPE, Denial } from "../state/denial";
import { DenialTexts, GRPC_UNAVAILABLE } from "../state/denial-texts";
import { Epoch } from "../state/epoch";
import { GRPC_HTTP_STATUS, addGrpcPairs, grpcBody, writeGrpcBody } from "./grpc-reply";
import { addLimitHeaders, addRetryAfter } from "./limit-headers";

/** 401: no token. */
export function replyMissing(denials: DenialTexts): void {
  replyFixed(denials.missing);
}

/** 401: no valid token, or its session has ended. */
export function replyInvalid(denials: DenialTexts): void {
  replyFixed(denials.invalid);
}

/** 503: the limiter cannot decide. */
export function replyUnavailable(denials: DenialTexts): void {
  replyFixed(denials.unavailable);
}

/** 503: too many sessions are being asked about. */
export function replyBusy(denials: DenialTexts): void {
  replyFixed(denials.busy);
}

/** 503: this edge has no policy yet. */
export function replyNoPolicy(denials: DenialTexts): void {
  replyFixed(denials.noPolicy);
}

/** An answer that is the same for everybody. */
function replyFixed(denial: Denial): void {
  const form = formOfRequest();
  const headers = denial.headers;
  if (form == FORM_HTTP) return sendPlain(denial, addressOf(headers.pairs), headers.pairs.byteLength);
  const name = headers.name;
  startPairs();
  addGrpcPairs(form, denial);
  if (name != null) addFixedPair(name, headers.value);
  sendNoted(denial, form);
}

/** 429: the bucket of this plan holds `levelPico`, less than the request's cost. */
export function replyLimited(epoch: Epoch, planIndex: u32, levelPico: i64, cost: u32): void {
  const denial = epoch.denials.limited;
  const form = start(epoch, denial);
  addLimitHeaders(epoch, planIndex, levelPico);
  addRetryAfter(unchecked(epoch.policy.plans[planIndex]), levelPico, cost);
  sendNoted(denial, form);
}

/** 429: the session has spent its budget; waiting does not help. */
export function replyBudgetSpent(epoch: Epoch, planIndex: u32, levelPico: i64): void {
  const denial = epoch.denials.budgetSpent;
  const form = start(epoch, denial);
  addLimitHeaders(epoch, planIndex, levelPico);
  sendNoted(denial, form);
}

/** 503 without a policy to say how: Envoy runs no stream under a root that it did not configure. */
export function replyUnconfigured(): void {
  sendLocalReply(503, 0, 0, 0, 0, NO_PAIRS, NO_PAIRS_BYTES, GRPC_UNAVAILABLE);
}

/** Only a request that is denied pays for this look. */
function formOfRequest(): u32 {
  const status = readRequestHeader(addressOf(CONTENT_TYPE), CONTENT_TYPE.byteLength);
  return status == OK ? answerFormOf(headerValue(), headerBytes()) : FORM_HTTP;
}

/** Returns the form of the answer. */
function start(epoch: Epoch, denial: Denial): u32 {
  const form = formOfRequest();
  startPairs();
  if (form == FORM_HTTP) addFixedPair(CONTENT_TYPE, epoch.denials.contentType);
  else addGrpcPairs(form, denial);
  return form;
}

/** With the pairs noted since `startPairs`. */
function sendNoted(denial: Denial, form: u32): void {
  const pairsBytes = writePairs();
  if (form == FORM_HTTP) return sendPlain(denial, PAIRS_BUFFER, pairsBytes);
  send(denial, GRPC_HTTP_STATUS, grpcBody(form), writeGrpcBody(form, denial), PAIRS_BUFFER, pairsBytes);
}

function sendPlain(denial: Denial, pairs: usize, pairsBytes: u32): void {
  const body = denial.body;
  send(denial, denial.status, addressOf(body), body.byteLength, pairs, pairsBytes);
}

function send(denial: Denial, status: u32, body: usize, bodyBytes: u32, pairs: usize, pairsBytes: u32): void {
  const details = denial.details;
  sendLocalReply(status, addressOf(details), details.byteLength, body, bodyBytes, pairs, pairsBytes, denial.grpcStatus);
}
