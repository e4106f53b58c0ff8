// An acquire was answered, or was not: write the answer into the table, then go on with each request that waits.
import {
  ANSWER_EXPIRED,
  ANSWER_LIVE,
  ANSWER_REVOKED,
  AcquireAnswer,
  readAcquireAnswer,
} from "../../domain/edge/acquire-answer";
import { MAX_EDGE_BODY_BYTES, TOKEN_BYTES } from "../../contract";
import { callResponseBody } from "../../host/buffers";
import { monotonicUs } from "../../host/clock";
import { enterStream } from "../../host/stream";
import { noteReachable, noteUnreachable } from "../edge/acquire";
import { CALL_ACQUIRE, OUTCOME_MALFORMED, OUTCOME_OK, answeredOutcome, noteOutcome } from "../edge/call-outcomes";
import { callAskedAtUs, callMayInsert, callToken, closeCall } from "../edge/calls";
import { MISS_EXPIRED, MISS_LIVE, MISS_REVOKED, MISS_UNKNOWN, count } from "../vm/counters";
import { applyToWaiting } from "./apply";
import { NO_ANSWER, decide, decideOnAnswer } from "./decide";
import { INSERT_CONTENDED, WRITTEN, writeAnswer } from "../table/insert";
import { Root } from "../state/roots";
import { noteProvisional } from "../table/provisional";
import { keptRequest } from "./request";
import { NONE, freeWaiter, waiterEpoch } from "../edge/waiters";

const askedToken: usize = memory.data(TOKEN_BYTES);

/** The acquire came back. The answer is about one session; all who wait for it go on by it. */
export function finishAcquire(root: Root, slot: u32, call: u32, bodyBytes: u32): void {
  memory.copy(askedToken, callToken(call), TOKEN_BYTES);
  const mayInsert = callMayInsert(call);
  const askedAtUs = callAskedAtUs(call);
  let waiter = closeCall(call);
  const outcome = takeAnswer(root, bodyBytes, mayInsert, askedAtUs);
  const unwritten = outcome == NO_ANSWER || outcome == INSERT_CONTENDED;
  if (unwritten && waiter == NONE) noteProvisional(root.table, askedToken);
  while (waiter != NONE) {
    const request = keptRequest(waiter, slot);
    const isSameEpoch = waiterEpoch(waiter) == root.epoch.number;
    waiter = freeWaiter(waiter);
    // A client that left is not resumed, and pays nothing.
    if (!enterStream(request.contextId)) continue;
    request.bind(root);
    // Under another policy, what was kept of the request may not be what that one would have kept.
    applyToWaiting(request, isSameEpoch ? decideOnAnswer(request, outcome) : decide(request));
  }
}

/** Reads and writes the answer. Returns an insert outcome, or NO_ANSWER. */
function takeAnswer(root: Root, bodyBytes: u32, mayInsert: bool, askedAtUs: u64): u32 {
  let called = answeredOutcome();
  const isRead = called == OUTCOME_OK && bodyBytes <= MAX_EDGE_BODY_BYTES;
  const answer = isRead ? readAcquireAnswer(callResponseBody(bodyBytes)) : null;
  if (called == OUTCOME_OK && answer == null) called = OUTCOME_MALFORMED;
  noteOutcome(root.table, CALL_ACQUIRE, called);
  if (answer == null) {
    noteUnreachable();
    return NO_ANSWER;
  }
  noteReachable();
  countAnswer(answer);
  const outcome = writeAnswer(root, askedToken, answer, mayInsert, askedAtUs);
  // A late answer's generation may be of a log that the edge follows no more.
  if (outcome == WRITTEN) root.table.noteGeneration(answer.generation, monotonicUs());
  return outcome;
}

function countAnswer(answer: AcquireAnswer): void {
  const state = answer.state;
  if (state == ANSWER_LIVE) count(MISS_LIVE);
  else if (state == ANSWER_REVOKED) count(MISS_REVOKED);
  else if (state == ANSWER_EXPIRED) count(MISS_EXPIRED);
  else count(MISS_UNKNOWN);
}
