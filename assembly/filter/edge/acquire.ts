// Asks the control plane for a session: sends the call, and lets requests wait for it.
import { PATH_ACQUIRE } from "../../contract";
import { SESSION_ID_CHARS, formatSessionId } from "../../domain/token/session-id";
import { sessionIdOf } from "../../domain/token/token";
import { sentCallId } from "../../host/call";
import { monotonicUs } from "../../host/clock";
import { randomU64 } from "../../host/random";
import { utf8, writeAscii } from "../../memory/bytes";
import { CALL_ACQUIRE } from "./call-outcomes";
import { addWaiter, findCall, freeCall, openCall } from "./calls";
import { BODY_START_BYTES, post, startBody } from "./edge-call";
import { Root } from "../state/roots";
import { NONE, hasRoomToWait } from "./waiters";

/** After a failure, between one and two times this: a session that could go on without an answer does. */
const BACKOFF_US: u64 = 500000;

const ACQUIRE = utf8(PATH_ACQUIRE);
const body: usize = memory.data(BODY_START_BYTES + 64);

/** Until then a record that stands is used as it stands. */
let askAgainAtUs: u64 = 0;

// The results of asking.
/** The request waits for the answer. */
export const WAITS: u32 = 0;
/** The session is being asked about, but no more requests may wait. */
export const WAITER_LIMIT_REACHED: u32 = 1;
/** It cannot be asked: too many calls are out or requests waiting, or the call was not sent. */
export const NOT_ASKED: u32 = 2;

/**
 * Lets a request wait for an answer about its session, sending the call if none is out.
 * @param mayInsert no record stood when the table was read, at `askedAtUs`
 * @param asks how often this request has asked, this time included
 */
export function askFor(root: Root, contextId: u32, token: usize, mayInsert: bool, askedAtUs: u64, asks: u32): u32 {
  const out = findCall(root.id, token);
  if (out != NONE) return addWaiter(out, contextId, token, asks, root.epoch.number) ? WAITS : WAITER_LIMIT_REACHED;
  if (!hasRoomToWait()) return NOT_ASKED;
  const call = startCall(root, token, mayInsert, askedAtUs);
  return call != NONE && addWaiter(call, contextId, token, asks, root.epoch.number) ? WAITS : NOT_ASKED;
}

/** Sends an acquire that nobody waits for yet. Returns the call, or NONE if it cannot be sent. */
export function startCall(root: Root, token: usize, mayInsert: bool, askedAtUs: u64): u32 {
  const call = freeCall();
  if (call == NONE) return NONE;
  let end = writeAscii(startBody(root.table, body), ',"session":"');
  formatSessionId(sessionIdOf(token), end);
  end = writeAscii(end + SESSION_ID_CHARS, '"}');
  if (!post(root.table, CALL_ACQUIRE, ACQUIRE, body, end, root.epoch.policy.acquireTimeoutMs)) return NONE;
  openCall(call, sentCallId(), root.id, token, mayInsert, askedAtUs);
  return call;
}

/** The control plane did not answer: for a short while records that stand are not asked about. */
export function noteUnreachable(): void {
  askAgainAtUs = monotonicUs() + BACKOFF_US + (randomU64() % BACKOFF_US);
}

export function noteReachable(): void {
  askAgainAtUs = 0;
}

export function shouldHoldBack(): bool {
  return askAgainAtUs != 0 && monotonicUs() < askAgainAtUs;
}
