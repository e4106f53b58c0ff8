// A lease call was answered, or was not: write each session's answer into the table, then go on with the requests that wait.
import { MAX_EDGE_ANSWER_BYTES } from "../../contract";
import { LeaseAnswers, readLeaseAnswers } from "../../domain/edge/lease-answer";
import { sessionIdOf } from "../../domain/token/token";
import { callResponseBody } from "../../host/buffers";
import { noteAnswered, noteBusy, noteReachable, noteUnreachable, wasAnsweredSince } from "../edge/acquire";
import {
  CALL_LEASE,
  OUTCOME_MALFORMED,
  OUTCOME_OK,
  OUTCOME_TIMEOUT,
  answeredOutcome,
  isRejection,
  noteOutcome,
} from "../edge/call-outcomes";
import { closeLeaseAsk, leaseAskAt } from "../edge/lease-asks";
import { sendLeases } from "../edge/lease-call";
import { closeLeaseCall, leaseCallSentAtUs } from "../edge/lease-calls";
import { NONE } from "../edge/waiters";
import { LeaseAsk } from "../state/lease-ask";
import { Root } from "../state/roots";
import { ANSWER_STALE } from "../table/insert";
import { takeLease } from "../table/take-lease";
import { ASK_DROPPED, ASK_LOST, countLease } from "../vm/lease-counters";
import { holdUnsent } from "./admit-lease";
import { ASKED_TOO_LATE, CALL_REJECTED, NO_ANSWER } from "./decide";
import { beginTurn, endTurn, letGo } from "./let-go";

export function finishLease(root: Root, call: u32, bodyBytes: u32): void {
  beginTurn();
  const sentAtUs = leaseCallSentAtUs(call);
  const chain = closeLeaseCall(call);
  let outcome = answeredOutcome();
  const isRead = outcome == OUTCOME_OK && bodyBytes <= MAX_EDGE_ANSWER_BYTES;
  const answers = isRead ? readLeaseAnswers(callResponseBody(bodyBytes)) : null;
  if (outcome == OUTCOME_OK && answers === null) outcome = OUTCOME_MALFORMED;
  noteOutcome(root.table, CALL_LEASE, outcome);
  const answered = noteHow(outcome, sentAtUs);
  for (let ask = chain; ask != NONE; ask = leaseAskAt(ask).next) {
    countLease(answers === null ? ASK_LOST : take(root, leaseAskAt(ask), answers), 1);
  }
  // Before requests go on, which takes time: the calls that others wait for are under way meanwhile.
  const unsent = sendLeases(root);
  letGoAll(chain, answered);
  holdUnsent(unsent);
  endTurn(root);
}

/** Returns how the requests that wait are decided on (decide.ts). */
function noteHow(outcome: u32, sentAtUs: u64): u32 {
  if (outcome == OUTCOME_OK) {
    noteReachable();
    // From the beginning: the answer may say that the session is to be acquired anew.
    return ANSWER_STALE;
  }
  if (isRejection(outcome)) {
    noteAnswered();
    noteBusy();
    return CALL_REJECTED;
  }
  if (outcome == OUTCOME_TIMEOUT && wasAnsweredSince(sentAtUs)) {
    noteBusy();
    return ASKED_TOO_LATE;
  }
  noteUnreachable();
  return NO_ANSWER;
}

function take(root: Root, ask: LeaseAsk, answers: LeaseAnswers): u32 {
  const answer = answers.answerOf(sessionIdOf(ask.token));
  const limits = root.epoch.limits;
  const planIndex = root.epoch.policy.planIndexById(ask.planId);
  if (answer === null) return ASK_LOST;
  if (limits === null || planIndex < 0 || limits.tagOf(planIndex) != ask.tag) return ASK_DROPPED;
  if (answer.ask != ask.ask) return ASK_DROPPED;
  return takeLease(root.table, limits, planIndex, ask, answer, answers.log);
}

function letGoAll(chain: u32, answered: u32): void {
  while (chain != NONE) {
    const next = leaseAskAt(chain).next;
    letGo(closeLeaseAsk(chain), answered);
    chain = next;
  }
}
