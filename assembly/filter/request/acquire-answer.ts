// An acquire was answered, or was not: write each session's answer into the table, then go on with the requests that wait.
import { MAX_ACQUIRE_ANSWER_BYTES, TOKEN_BYTES } from "../../contract";
import {
  ANSWER_EXPIRED,
  ANSWER_LIVE,
  ANSWER_REVOKED,
  ANSWER_UNAVAILABLE,
  AcquireAnswer,
  answerOf,
  readAcquireAnswers,
  saysNoSession,
} from "../../domain/edge/acquire-answer";
import { NO_TAG } from "../../domain/limits/limits-tag";
import { sessionIdOf } from "../../domain/token/token";
import { callResponseBody } from "../../host/buffers";
import { monotonicUs } from "../../host/clock";
import {
  noteAnswered,
  noteBusy,
  noteReachable,
  noteUnreachable,
  queueAlone,
  sendQueued,
  wasAnsweredSince,
} from "../edge/acquire";
import { takeOverdue } from "../edge/ask-queue";
import {
  ASK_INSERTS,
  ASK_STREAM,
  askCosts,
  askLeaseTag,
  askRoot,
  askSaidTag,
  askToken,
  askedAtUs,
  closeAsk,
  hasAskFlag,
  linkAsk,
  nextAsk,
} from "../edge/asks";
import {
  CALL_ACQUIRE,
  OUTCOME_MALFORMED,
  OUTCOME_OK,
  OUTCOME_TIMEOUT,
  answeredOutcome,
  isRejection,
  noteOutcome,
} from "../edge/call-outcomes";
import { callSentAtUs, closeCall } from "../edge/calls";
import { NONE } from "../edge/waiters";
import { noteSessionEnded } from "../state/open-streams";
import { Root, rootInSlot, slotOfRoot } from "../state/roots";
import { INSERT_CONTENDED, SESSION_ENDED, WRITTEN, writeAnswer } from "../table/insert";
import { noteProvisional } from "../table/provisional";
import { MISS_EXPIRED, MISS_LIVE, MISS_REVOKED, MISS_UNKNOWN, count } from "../vm/counters";
import { ASKED_TOO_LATE, CALL_REJECTED, NO_ANSWER } from "./decide";
import { beginTurn, endTurn, letGo } from "./let-go";

const askedToken: usize = memory.data(TOKEN_BYTES);

/** The acquire came back. Each session that it asked about goes on by its own answer. */
export function finishAcquire(root: Root, call: u32, bodyBytes: u32): void {
  beginTurn();
  const sentAtUs = callSentAtUs(call);
  const chain = closeCall(call);
  const outcome = answeredOutcome();
  const isRead = (outcome == OUTCOME_OK || isRejection(outcome)) && bodyBytes <= MAX_ACQUIRE_ANSWER_BYTES;
  const body = isRead ? callResponseBody(bodyBytes) : "";
  const answers = outcome == OUTCOME_OK ? readAcquireAnswers(body) : null;
  const isMalformed = answers !== null && answers.length == 0;
  noteOutcome(root.table, CALL_ACQUIRE, isMalformed ? OUTCOME_MALFORMED : outcome);
  if (answers !== null && answers.length > 0) {
    noteAnswers(answers);
    finishAnswered(root, chain, answers);
  } else if (isRejection(outcome) && saysNoSession(body)) {
    noteAnswered();
    finishNoSession(root, chain);
  } else if (isRejection(outcome)) {
    noteAnswered();
    noteBusy();
    finishAll(chain, CALL_REJECTED);
  } else if (outcome == OUTCOME_TIMEOUT && wasAnsweredSince(sentAtUs)) {
    noteBusy();
    finishAll(chain, ASKED_TOO_LATE);
  } else {
    noteUnreachable();
    finishAll(chain, NO_ANSWER);
  }
  endTurn(root);
}

/** Only who gets a live answer finds the control plane as it should be: what is over is answered also without a store. */
function noteAnswers(answers: AcquireAnswer[]): void {
  let isLive = false;
  let isUnavailable = false;
  for (let i = 0; i < answers.length; i++) {
    if (answers[i].state == ANSWER_LIVE) isLive = true;
    else if (answers[i].state == ANSWER_UNAVAILABLE) isUnavailable = true;
  }
  if (isLive) noteReachable();
  else noteAnswered();
  if (isUnavailable) noteUnreachable();
}

/** On a tick: asks about sessions that wait for it, and lets the requests go that have waited too long. */
export function goOnAsking(nowUs: u64): void {
  finishUnsent(sendQueued());
  finishAsks(takeOverdue(nowUs), ASKED_TOO_LATE);
}

function finishAnswered(root: Root, chain: u32, answers: AcquireAnswer[]): void {
  queueUnnamed(root, chain, answers);
  // Before requests go on, which takes time: the calls that others wait for are under way meanwhile.
  const unsent = sendQueued();
  let answer: AcquireAnswer | null = answers[0];
  let ask = chain;
  while (ask != NONE) {
    const next = nextAsk(ask);
    if (answer !== null) finishAsk(ask, takeAnswer(root, ask, answer));
    if (next != NONE) answer = answerOf(answers, sessionIdOf(askToken(next)));
    ask = next;
  }
  finishUnsent(unsent);
}

/** An older control plane answers the first session only. The others leave the chain, and are asked about again. */
function queueUnnamed(root: Root, chain: u32, answers: AcquireAnswer[]): void {
  let last = chain;
  let ask = nextAsk(chain);
  while (ask != NONE) {
    const next = nextAsk(ask);
    if (answerOf(answers, sessionIdOf(askToken(ask))) === null) {
      queueAlone(root, ask);
    } else {
      linkAsk(last, ask);
      last = ask;
    }
    ask = next;
  }
  linkAsk(last, NONE);
}

/** The first session is none, says the control plane, and has not looked at the others. */
function finishNoSession(root: Root, chain: u32): void {
  let ask = nextAsk(chain);
  while (ask != NONE) {
    const next = nextAsk(ask);
    queueAlone(root, ask);
    ask = next;
  }
  const unsent = sendQueued();
  finishAsk(chain, SESSION_ENDED);
  finishUnsent(unsent);
}

function finishAll(chain: u32, outcome: u32): void {
  const unsent = sendQueued();
  finishAsks(chain, outcome);
  finishUnsent(unsent);
}

/** What could not be sent has no answer; then what waits behind it is tried. */
function finishUnsent(unsent: u32): void {
  for (let chain = unsent; chain != NONE; chain = sendQueued()) finishAsks(chain, NO_ANSWER);
}

function finishAsks(chain: u32, outcome: u32): void {
  let ask = chain;
  while (ask != NONE) {
    const next = nextAsk(ask);
    finishAsk(ask, outcome);
    ask = next;
  }
}

/** Frees the session's entry, and lets the requests go that wait. They may ask again: the entry may be taken anew. */
function finishAsk(ask: u32, outcome: u32): void {
  const root = rootInSlot(slotOfRoot(askRoot(ask)));
  memory.copy(askedToken, askToken(ask), TOKEN_BYTES);
  if (root != null && outcome == SESSION_ENDED) noteSessionEnded(root.table, askedToken);
  const isForStream = hasAskFlag(ask, ASK_STREAM);
  const waiter = closeAsk(ask);
  if (root != null && waiter == NONE && !isForStream && isUnwritten(outcome)) {
    noteProvisional(root.table, askedToken);
  }
  letGo(waiter, outcome);
}

/** Whether the session, if it was admitted unverified, is as unverified as before. */
function isUnwritten(outcome: u32): bool {
  return outcome >= CALL_REJECTED || outcome == INSERT_CONTENDED;
}

/** Writes the answer. Returns what that came to (insert.ts). */
function takeAnswer(root: Root, ask: u32, answer: AcquireAnswer): u32 {
  if (answer.state == ANSWER_UNAVAILABLE) return NO_ANSWER;
  memory.copy(askedToken, askToken(ask), TOKEN_BYTES);
  countAnswer(answer);
  const mayInsert = hasAskFlag(ask, ASK_INSERTS);
  if (askLeaseTag(ask) != NO_TAG) answer.leaseCosts = askCosts(ask);
  const outcome = writeAnswer(root, askedToken, answer, mayInsert, askedAtUs(ask), askSaidTag(ask));
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
