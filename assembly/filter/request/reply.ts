// Answering a request in place of the upstream, in the form that its client reads and the policy wants. Only apply.ts does.
import { FORM_HTTP, answerFormOf } from "../../domain/grpc/answer-form";
import { costOf } from "../../domain/limits/buckets";
import { LimitEntry } from "../../domain/limits/limit-table";
import { sendLocalReply } from "../../host/exit";
import { headerBytes, headerValue, readRequestHeader } from "../../host/headers";
import { OK } from "../../host/status";
import { addressOf, writeAscii, writeBytes } from "../../memory/bytes";
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
import { Request } from "../state/request";
import { GRPC_HTTP_STATUS, addGrpcPairs, grpcBody, writeGrpcBody } from "./grpc-reply";
import { addRetryAfter, addRetryAfterMs } from "./limit-fields";
import { addLimitHeaders } from "./limit-headers";
import { Verdict } from "./verdict";

/** What a denial says and a name of 32 characters: a literal of the program each. */
const namedDetails: usize = memory.data(64);
const namedBody: usize = memory.data(512);

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

/** 429: a limit of the session's plan holds less than the request's cost. */
export function replyLimited(request: Request, verdict: Verdict): void {
  const epoch = request.epoch;
  const denial = epoch.denials.limited;
  const planIndex = verdict.planIndex;
  const limits = epoch.limitsBeside(planIndex);
  const form = start(epoch, denial);
  addHeaders(request, verdict);
  if (limits === null) {
    const plan = unchecked(epoch.policy.plans[planIndex]);
    addRetryAfter(verdict.levelPico, request.cost, plan.ratePico, plan.rateUs);
    return sendNoted(denial, form);
  }
  const limit = verdict.limit;
  const entry = limits.limitOf(planIndex, limit);
  if (limits.isFleet(planIndex)) addRetryAfterMs(verdict.retryMs);
  else addRetryAfter(verdict.levelPico, costOf(verdict.buckets, limit), entry.ratePico, entry.rateUs);
  if (limit == 0) sendNoted(denial, form);
  else sendNamed(denial, entry, form);
}

/** 429: the session has spent its budget; waiting does not help. */
export function replyBudgetSpent(request: Request, verdict: Verdict): void {
  const denial = request.epoch.denials.budgetSpent;
  const form = start(request.epoch, denial);
  addHeaders(request, verdict);
  sendNoted(denial, form);
}

function addHeaders(request: Request, verdict: Verdict): void {
  addLimitHeaders(
    request.epoch,
    verdict.planIndex,
    verdict.limit,
    request.limitCosts,
    verdict.levelPico,
    verdict.buckets,
  );
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

/** The same where a further limit denied: body and response code details name it. */
function sendNamed(denial: Denial, limit: LimitEntry, form: u32): void {
  const pairsBytes = writePairs();
  let end = writeBytes(namedDetails, addressOf(denial.details), denial.details.byteLength);
  end = writeBytes(writeAscii(end, "_"), limit.name, limit.nameBytes);
  const isHttp = form == FORM_HTTP;
  const status = isHttp ? denial.status : GRPC_HTTP_STATUS;
  const body = isHttp ? namedBody : grpcBody(form);
  const bodyBytes = isHttp ? writeNamedBody(denial, limit) : writeGrpcBody(form, denial);
  const detailsBytes = <u32>(end - namedDetails);
  sendLocalReply(status, namedDetails, detailsBytes, body, bodyBytes, PAIRS_BUFFER, pairsBytes, denial.grpcStatus);
}

/** The denial's body with a member more in its innermost object. */
function writeNamedBody(denial: Denial, limit: LimitEntry): u32 {
  const open = denial.body.byteLength - denial.closingBytes;
  const body = addressOf(denial.body);
  let end = writeAscii(writeBytes(namedBody, body, open), ',"limit":"');
  end = writeAscii(writeBytes(end, limit.name, limit.nameBytes), '"');
  end = writeBytes(end, body + open, denial.closingBytes);
  return <u32>(end - namedBody);
}

function sendPlain(denial: Denial, pairs: usize, pairsBytes: u32): void {
  const body = denial.body;
  send(denial, denial.status, addressOf(body), body.byteLength, pairs, pairsBytes);
}

function send(denial: Denial, status: u32, body: usize, bodyBytes: u32, pairs: usize, pairsBytes: u32): void {
  const details = denial.details;
  sendLocalReply(status, addressOf(details), details.byteLength, body, bodyBytes, pairs, pairsBytes, denial.grpcStatus);
}
