// The control plane's answer has come, or did not: write it into the table, then go on with each request that waits.
import {
  ANSWER_EXPIRED,
  ANSWER_LIVE,
  ANSWER_REVOKED,
  AcquireAnswer,
  readAcquireAnswer,
} from "../domain/acquire-answer";
import { MAX_EDGE_BODY_BYTES, TOKEN_BYTES } from "../contract";
import { callResponseBody } from "../host/buffers";
import { headerBytes, headerValue, readCallHeader } from "../host/headers";
import { OK } from "../host/status";
import { enterStream, resumeRequest } from "../host/stream";
import { addressOf, utf8 } from "../memory/bytes";
import { noteReachable, noteUnreachable } from "./acquire";
import { GO, admit, admitOnRecord, admitUnreachable, admitWithoutRecord } from "./admit";
import {
  NONE,
  callAskedAtUs,
  callMayInsert,
  callToken,
  callWithId,
  closeCall,
  freeWaiter,
  waiterAsks,
  waiterContext,
  waiterToken,
} from "./calls";
import { MISS_EXPIRED, MISS_LIVE, MISS_REVOKED, MISS_UNKNOWN } from "./counters";
import { denyInvalid } from "./deny";
import { ANSWER_STALE, SESSION_ENDED, WRITTEN, writeAnswer } from "./insert";
import { Root, rootInSlot, slotOfRoot } from "./roots";
import { noteProvisional } from "./provisional";

const STATUS = utf8(":status");
/** In place of an insert outcome: there was no answer. */
const NO_ANSWER: u32 = 0xff;

const askedToken: usize = memory.data(TOKEN_BYTES);
const waitingToken: usize = memory.data(TOKEN_BYTES);

/** An acquire came back. The answer is about one session; all who wait for it go on by it. */
export function finishCall(rootId: u32, callId: u32, bodyBytes: u32): void {
  const call = callWithId(callId);
  const slot = slotOfRoot(rootId);
  const root = rootInSlot(slot);
  if (call == NONE || root == null) return;
  memory.copy(askedToken, callToken(call), TOKEN_BYTES);
  const mayInsert = callMayInsert(call);
  const askedAtUs = callAskedAtUs(call);
  let waiter = closeCall(call);
  const outcome = takeAnswer(root, bodyBytes, mayInsert, askedAtUs);
  if (outcome == NO_ANSWER && waiter == NONE) noteProvisional(root, askedToken);
  while (waiter != NONE) {
    const contextId = waiterContext(waiter);
    const asks = waiterAsks(waiter);
    memory.copy(waitingToken, waiterToken(waiter), TOKEN_BYTES);
    waiter = freeWaiter(waiter);
    // A client that left is not resumed, and pays nothing.
    if (enterStream(contextId) && goOn(root, slot, contextId, outcome, asks) == GO) resumeRequest();
  }
}

/** Reads and writes the answer. Returns an insert outcome, or NO_ANSWER. */
function takeAnswer(root: Root, bodyBytes: u32, mayInsert: bool, askedAtUs: u64): u32 {
  const answer = wasAnswered() && bodyBytes <= MAX_EDGE_BODY_BYTES ? answerIn(bodyBytes) : null;
  if (answer == null) {
    noteUnreachable();
    return NO_ANSWER;
  }
  noteReachable();
  countAnswer(root, answer);
  return writeAnswer(root, askedToken, answer, mayInsert, askedAtUs);
}

/** A timeout is status 504, a refused connection 503, an overload 429: none of them says anything of the session. */
function wasAnswered(): bool {
  if (readCallHeader(addressOf(STATUS), STATUS.byteLength) != OK || headerBytes() != 3) return false;
  const status = headerValue();
  return load<u8>(status) == 50 && load<u8>(status, 1) == 48 && load<u8>(status, 2) == 48; // "200"
}

function answerIn(bodyBytes: u32): AcquireAnswer | null {
  const body = callResponseBody(bodyBytes);
  return body == null ? null : readAcquireAnswer(body);
}

function countAnswer(root: Root, answer: AcquireAnswer): void {
  const state = answer.state;
  if (state == ANSWER_LIVE) root.counters.count(MISS_LIVE);
  else if (state == ANSWER_REVOKED) root.counters.count(MISS_REVOKED);
  else if (state == ANSWER_EXPIRED) root.counters.count(MISS_EXPIRED);
  else root.counters.count(MISS_UNKNOWN);
}

function goOn(root: Root, slot: u32, contextId: u32, outcome: u32, asks: u32): u32 {
  if (outcome == WRITTEN) return admitOnRecord(root, slot, contextId, waitingToken, asks);
  if (outcome == ANSWER_STALE) return admit(root, slot, contextId, waitingToken, asks);
  if (outcome == NO_ANSWER) return admitUnreachable(root, slot, contextId, waitingToken);
  if (outcome == SESSION_ENDED) {
    denyInvalid(root);
    return outcome;
  }
  return admitWithoutRecord(root, outcome);
}
