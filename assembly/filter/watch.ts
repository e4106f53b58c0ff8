// Watching the control plane's log: a call that it holds until there is something to say (docs/edge-protocol.md).
import { PATH_WATCH, WATCH_TIMEOUT_MS } from "../contract";
import { WatchAnswer, readWatchAnswer } from "../domain/edge-answers";
import { callResponseBody } from "../host/buffers";
import { sentCallId } from "../host/call";
import { monotonicUs } from "../host/clock";
import { randomU64 } from "../host/random";
import { addressOf, utf8, writeAscii, writeBytes, writeDecimal, writeHexU64 } from "../memory/bytes";
import { BODY_START_BYTES, post, startBody, wasAnswered } from "./edge-call";
import { leads } from "./leader";
import { NO_LOG, beginLog, cursorOfPlace, logOfPlace, raiseCursor, raiseSeen, readPlace } from "./log-place";
import { MARK_ENDED, MARK_REFRESH, markRecord } from "./mark-record";
import { startReset } from "./reset";
import { Root, isSuperseded } from "./roots";

/** After a failed watch, between one and two times this. */
const BACKOFF_US: u64 = 250000;

const WATCH = utf8(PATH_WATCH);
const body: usize = memory.data(BODY_START_BYTES + 256);

/** On a tick of the leader: sends a watch unless one is out, or a reset is being carried out. */
export function watchIfDue(root: Root, nowUs: u64): void {
  const watching = root.watching;
  if (!watching.out && !watching.resetting && nowUs >= watching.retryAtUs) sendWatch(root);
}

function sendWatch(root: Root): void {
  const watching = root.watching;
  readPlace(root);
  watching.sentLog = logOfPlace();
  const since = cursorOfPlace();
  let end = startBody(root, body);
  if (watching.sentLog != NO_LOG) {
    end = writeAscii(writeHexU64(writeAscii(end, ',"log":"'), watching.sentLog), '"');
  }
  end = writeDecimal(writeAscii(end, ',"since":'), since);
  end = writeDecimal(writeAscii(end, ',"generation":'), root.policy.generation);
  end = writeAscii(end, ',"policyHash":"');
  end = writeBytes(end, addressOf(root.policyHash), root.policyHash.byteLength);
  end = writeAscii(end, '"}');
  if (!post(root, WATCH, body, end, WATCH_TIMEOUT_MS)) {
    holdBack(root);
    return;
  }
  watching.callId = sentCallId();
  watching.out = true;
}

/** The watch came back. The next is sent from here, not from a tick, so that no withdrawal waits for one. */
export function finishWatch(root: Root, bodyBytes: u32): void {
  root.watching.out = false;
  const answer = wasAnswered() ? readWatchAnswer(callResponseBody(bodyBytes)) : null;
  if (answer == null || !follow(root, answer)) {
    holdBack(root);
    return;
  }
  if (!root.watching.resetting && !isSuperseded(root) && leads(root, monotonicUs())) sendWatch(root);
}

/** Carries out what the answer says. False: a set could not be written, the watch is to be repeated in a while. */
function follow(root: Root, answer: WatchAnswer): bool {
  const sentLog = root.watching.sentLog;
  if (answer.reset) {
    startReset(root, sentLog, answer.log, answer.cursor);
    return true;
  }
  // The edge had no log when it asked: it begins at the head, unless an acquire has begun it meanwhile.
  if (sentLog == NO_LOG) beginLog(root, answer.log, answer.cursor);
  if (answer.log != sentLog) return true;
  // Heard of before it is written: a worker that inserts meanwhile finds its answer out of date.
  if (!raiseSeen(root, answer.log, answer.cursor)) return true;
  let written = true;
  for (let i = 0; i < answer.revoked.length; i++) {
    if (!markRecord(root, answer.revoked[i], MARK_ENDED, sentLog)) written = false;
  }
  for (let i = 0; i < answer.refresh.length; i++) {
    if (!markRecord(root, answer.refresh[i], MARK_REFRESH, sentLog)) written = false;
  }
  return written && raiseCursor(root, answer.log, answer.cursor);
}

function holdBack(root: Root): void {
  root.watching.retryAtUs = monotonicUs() + BACKOFF_US + (randomU64() % BACKOFF_US);
}
