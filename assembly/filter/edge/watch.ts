// The watch: a call that the control plane holds until its log or its policy has news (docs/edge-protocol.md). The call
// itself says which policy this edge runs.
import {
  FILTER_VERSION,
  MAX_EDGE_ANSWER_BYTES,
  PATH_WATCH,
  POLICY_OFFERED,
  POLICY_OK,
  POLICY_REJECTED,
  POLICY_TRAPPED,
  POLICY_TRYING,
  POLICY_VERSION,
  RECORDS_PER_SET,
  WATCH_TIMEOUT_MS,
} from "../../contract";
import {
  RESULT_NONE,
  RESULT_REJECTED,
  RESULT_TRYING,
  bellGeneration,
  bellHash,
  bellLog,
  resultOf,
} from "../../domain/edge/bell";
import { WatchAnswer, readWatchAnswer } from "../../domain/edge/edge-answers";
import { callResponseBody } from "../../host/buffers";
import { sentCallId } from "../../host/call";
import { monotonicUs, wallMs } from "../../host/clock";
import { randomU64 } from "../../host/random";
import { utf8, writeAscii, writeDecimal, writeHexU64 } from "../../memory/bytes";
import { readBell } from "../policy/bell";
import { buildId } from "../vm/build-id";
import { CALL_WATCH, OUTCOME_MALFORMED, OUTCOME_OK, answeredOutcome, noteOutcome } from "./call-outcomes";
import { post, startBody } from "./edge-call";
import { noteFirstWatchFailed } from "../table/instance";
import { leads } from "../table/leader";
import {
  NO_LOG,
  beginLog,
  numberOfCursor,
  logOfCursor,
  raiseCursor,
  raiseSeen,
  readLogCursor,
  seenLogOfCursor,
} from "../table/log-cursor";
import { MARK_ENDED, MARK_REFRESH, markRecord } from "../table/mark-record";
import { startReset } from "./reset";
import { OFFER_KEPT, OFFER_MALFORMED, OFFER_OUTDATED, isPolicyAnswer, takeOffer } from "../policy/policy-offer";
import { Root, isFollowed, isSuperseded } from "../state/roots";
import { setCount } from "../table/session-table";
import { Table } from "../state/table";
import { lookAtBell } from "../policy/take-policy";
import { writeViolations } from "../policy/violations";

/** After a failed watch, between one and two times this. */
const BACKOFF_US: u64 = 250000;
/** A watch that was not held brings the next one no sooner than this after it was sent, unless it brought news. */
const UNHELD_US: u64 = 1000000;

const WATCH = utf8(PATH_WATCH);
/** BODY_START_BYTES, MAX_VIOLATIONS_BYTES, and 512 for the numbers and names between and behind them. */
const body: usize = memory.data(6656);

const resultWords: StaticArray<string> = [POLICY_OFFERED, POLICY_TRYING, POLICY_OK, POLICY_REJECTED, POLICY_TRAPPED];

/**
 * On a tick of the leader: sends a watch unless one is out, or a reset is being carried out. One that is out is replaced
 * when something has become of the policy since: the control plane lets go of the older one.
 */
export function watchIfDue(root: Root, nowUs: u64): void {
  const watching = root.table.watching;
  if (watching.resetting || nowUs < watching.retryAtUs) return;
  if (watching.rootId != root.id || hasNews(root.table)) sendWatch(root);
}

/** Whether a new watch would say more than the one that is out. That a VM tries a policy is no reason for a new one. */
function hasNews(table: Table): bool {
  const watching = table.watching;
  if (isFollowed(table) != watching.sentFollow) return true;
  const bell = readBell(table);
  if (bell == 0) return false;
  if (bellHash(bell) != watching.sentHash || bellGeneration(bell) != watching.sentGeneration) return true;
  const result = resultOf(bell, buildId());
  return result != watching.sentResult && result != RESULT_NONE && result != RESULT_TRYING;
}

function sendWatch(root: Root): void {
  const table = root.table;
  const watching = table.watching;
  readLogCursor(table);
  watching.sentLog = logOfCursor();
  watching.sentSeenLog = seenLogOfCursor();
  const since = numberOfCursor();
  watching.sentCursor = since;
  watching.sentAtUs = monotonicUs();
  let end = startBody(table, body);
  if (watching.sentLog != NO_LOG) {
    end = writeAscii(writeHexU64(writeAscii(end, ',"log":"'), watching.sentLog), '"');
  }
  end = writeDecimal(writeAscii(end, ',"since":'), since);
  watching.sentFollow = isFollowed(table);
  end = writeAscii(end, watching.sentFollow ? ',"follow":true' : ',"follow":false');
  end = writePolicy(table, end);
  end = writeAscii(writeAscii(end, ',"filter":{"version":"'), FILTER_VERSION);
  end = writeHexU64(writeAscii(end, '","build":"'), buildId());
  end = writeDecimal(writeAscii(end, '","policyFormat":'), POLICY_VERSION);
  // The name and the time are for the control plane to compare: no decision of either side rests on them.
  end = writeDecimal(writeAscii(end, '},"wallMs":'), wallMs());
  end = writeAscii(writeAscii(end, ',"table":{"name":"'), table.name);
  end = writeDecimal(writeAscii(end, '","capacity":'), <u64>setCount(table) * RECORDS_PER_SET);
  end = writeDecimal(writeAscii(end, ',"records":'), table.records);
  end = writeAscii(end, "}}");
  // The watch that is out no longer counts, whether this one can be sent or not: its notes are overwritten.
  watching.rootId = 0;
  if (!post(table, CALL_WATCH, WATCH, body, end, WATCH_TIMEOUT_MS)) {
    fail(root);
    return;
  }
  watching.rootId = root.id;
  watching.callId = sentCallId();
}

/** The newest policy that this edge knows of, and its state here. */
function writePolicy(table: Table, at: usize): usize {
  const watching = table.watching;
  watching.sentHash = 0;
  watching.sentGeneration = 0;
  watching.sentResult = RESULT_NONE;
  const bell = readBell(table);
  if (bell == 0) return at;
  const result = resultOf(bell, buildId());
  const hash = bellHash(bell);
  watching.sentHash = hash;
  watching.sentGeneration = bellGeneration(bell);
  watching.sentResult = result;
  let end = writeHexU64(writeAscii(at, ',"policy":{"log":"'), bellLog(bell));
  end = writeDecimal(writeAscii(end, '","generation":'), bellGeneration(bell));
  end = writeHexU64(writeAscii(end, ',"hash":"'), hash);
  end = writeAscii(writeAscii(end, '","state":"'), resultWords[result]);
  end = writeAscii(end, '"');
  if (result == RESULT_REJECTED) {
    const from = writeAscii(end, ',"violations":');
    const to = writeViolations(table, hash, from);
    if (to != from) end = to;
  }
  return writeAscii(end, "}");
}

/** Whether this answer is that of the watch that is out. The answer to a replaced one is ignored. */
export function isWatch(root: Root, answered: u32): bool {
  const watching = root.table.watching;
  return watching.rootId == root.id && watching.callId == answered;
}

/** The watch came back. The next is sent from here, not from a tick, so that no invalidation waits for one. */
export function finishWatch(root: Root, bodyBytes: u32): void {
  const table = root.table;
  table.watching.rootId = 0;
  let outcome = answeredOutcome();
  let followed = false;
  let hasBroughtNews = true;
  if (outcome == OUTCOME_OK && isPolicyAnswer()) {
    const offer = isFollowed(table) ? takeOffer(table, bodyBytes) : OFFER_OUTDATED;
    if (offer == OFFER_MALFORMED) outcome = OUTCOME_MALFORMED;
    followed = offer == OFFER_KEPT;
    // This VM is awake: it tries now, not on its next tick.
    if (followed) lookAtBell(table, monotonicUs());
  } else if (outcome == OUTCOME_OK) {
    const answer = bodyBytes <= MAX_EDGE_ANSWER_BYTES ? readWatchAnswer(callResponseBody(bodyBytes)) : null;
    if (answer == null) {
      outcome = OUTCOME_MALFORMED;
    } else {
      hasBroughtNews = isNews(table, answer);
      followed = follow(table, answer);
    }
  }
  noteOutcome(table, CALL_WATCH, outcome);
  const nextAtUs = table.watching.sentAtUs + UNHELD_US;
  if (!followed) fail(root);
  else if (!hasBroughtNews && monotonicUs() < nextAtUs) table.watching.retryAtUs = nextAtUs;
  else if (!table.watching.resetting && !isSuperseded(root) && leads(table, monotonicUs())) sendWatch(root);
}

/**
 * Whether the answer takes the edge further in the log, be it by a reset. One that does not, and was not held, may come at once for ever: of a
 * cache, or of a proxy that does not wait.
 */
function isNews(table: Table, answer: WatchAnswer): bool {
  const watching = table.watching;
  return answer.log != watching.sentLog
    ? answer.reset || watching.sentLog == NO_LOG
    : answer.cursor > watching.sentCursor;
}

/** The root is gone: its watch's answer will not come. */
export function dropWatchOf(root: Root): void {
  if (root.table.watching.rootId == root.id) root.table.watching.rootId = 0;
}

/** Carries out what the answer says. False: a set could not be written, the watch is to be repeated in a while. */
function follow(table: Table, answer: WatchAnswer): bool {
  const sentLog = table.watching.sentLog;
  if (answer.reset) {
    startReset(table, sentLog, answer.log, answer.cursor);
    return true;
  }
  // The edge had no log when it asked: it begins at the head, unless an acquire has begun it meanwhile.
  if (sentLog == NO_LOG) beginLog(table, answer.log, answer.cursor);
  if (answer.log != sentLog) return true;
  // `seen` is raised before the sets are written: a worker that inserts meanwhile finds its answer out of date.
  if (!raiseSeen(table, answer.log, answer.cursor)) return true;
  let written = true;
  for (let i = 0; i < answer.revoked.length; i++) {
    if (!markRecord(table, answer.revoked[i], MARK_ENDED, sentLog)) written = false;
  }
  for (let i = 0; i < answer.refresh.length; i++) {
    if (!markRecord(table, answer.refresh[i], MARK_REFRESH, sentLog)) written = false;
  }
  return written && raiseCursor(table, answer.log, answer.cursor);
}

/** The watch failed: the next one is sent after a backoff, and requests that wait for a policy wait no longer than that. */
function fail(root: Root): void {
  if (root.epoch.isNone) noteFirstWatchFailed(root.table);
  root.table.watching.retryAtUs = monotonicUs() + BACKOFF_US + (randomU64() % BACKOFF_US);
}
