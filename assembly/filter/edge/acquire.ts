// Asks the control plane for sessions: one in a call of its own while few are asked about, many in a call where they
// queue; and lets requests wait for the answers.
import { ANSWER_VALID_MS, MAX_ACQUIRE_SESSIONS, MAX_EDGE_BODY_BYTES, PATH_ACQUIRE } from "../../contract";
import { annexOf, annexTagOf } from "../../domain/table/annex";
import { NO_TAG } from "../../domain/limits/limits-tag";
import { isLive, isProvisional } from "../../domain/table/record";
import { findRecord } from "../../domain/table/set";
import { SESSION_ID_CHARS, formatSessionId } from "../../domain/token/session-id";
import { sessionIdOf } from "../../domain/token/token";
import { sentCallId } from "../../host/call";
import { monotonicUs } from "../../host/clock";
import { randomU64 } from "../../host/random";
import { enterRoot } from "../../host/stream";
import { utf8, writeAscii, writeDecimal } from "../../memory/bytes";
import { Request } from "../state/request";
import { Root, rootInSlot, slotOfRoot } from "../state/roots";
import { Table } from "../state/table";
import { SetCopy } from "../table/set-copy";
import { firstQueued, queueAsk, takeBatch } from "./ask-queue";
import {
  ASK_ALONE,
  ASK_CONFIRMS,
  ASK_INSERTS,
  ASK_WITH_USAGE,
  addWaiter,
  askCosts,
  askLeasePlan,
  askLeaseTag,
  askRoot,
  askToken,
  askTrace,
  askWaiters,
  askedAtUs,
  closeAsk,
  findAsk,
  hasAskFlag,
  letAskWaitUntil,
  nextAsk,
  openAsk,
  setAskFlag,
  setAskLease,
  setAskSaidTag,
} from "./asks";
import { CALL_ACQUIRE } from "./call-outcomes";
import { hasFreeCall, openCall } from "./calls";
import { BODY_START_BYTES, callBody, post, startBody } from "./edge-call";
import { WANT_LEAST } from "../state/lease-notes";
import { MAX_AMOUNTS_BYTES, writeCosts } from "./lease-body";
import { carryOwnTrace, carryTrace, noteTrace } from "./trace";
import { MAX_ROW_BYTES, MAX_TAG_BYTES, startUsage, writeRow, writeTags } from "./usage-rows";
import { NONE, hasRoomToWait } from "./waiters";

/** After a failure, between one and two times this: a session that could go on without an answer does. */
const BACKOFF_US: u64 = 500000;

const ACQUIRE = utf8(PATH_ACQUIRE);
/** Of a session in the body, with what stands around it. */
const MAX_SESSION_BYTES: u32 = 64 + MAX_ROW_BYTES + MAX_TAG_BYTES;
/** Of a session that wants a lease. */
const MAX_LEASE_BYTES: u32 = 48 + 2 * MAX_AMOUNTS_BYTES;
/** The last 64 for what stands between the parts. What is left of the body has room for leases. */
const LEASES_BYTES: u32 = MAX_EDGE_BODY_BYTES - BODY_START_BYTES - MAX_ACQUIRE_SESSIONS * MAX_SESSION_BYTES - 64;
/** Of the body that is written: bytes of leases. */
let leasesBytes: u32 = 0;

/** Monotonic µs; 0: none. Until then nobody is asked, and a record that stands is used as it stands (shouldHoldBack). */
let askAgainAtUs: u64 = 0;
/** Why it is held back. True: no answer came. False: the control plane is there, but rejected the call or was too slow. */
let isAway: bool = false;
/** When the last answer came. */
let answeredAtUs: u64 = 0;

// The results of asking.
/** The request waits for the answer. */
export const WAITS: u32 = 0;
/** The control plane is there, but no more requests may wait: of this session, or of all. */
export const BUSY: u32 = 1;
/** Envoy knows no way to the control plane: the call was not sent. */
export const UNSENT: u32 = 2;

/**
 * Lets a request wait for an answer about its session, asking about it unless that is under way.
 * @param mayInsert no record stood when the table was read, at `readAtUs`
 * @param withUsage what its record says goes along
 * @param leasePlan index of a plan of scope fleet, for whose annex a lease is wanted with the answer; -1: none is
 * @param costs of the lease: u32 × 8, what the request takes from each bucket, tokens
 */
export function askFor(
  request: Request,
  mayInsert: bool,
  withUsage: bool,
  readAtUs: u64,
  leasePlan: i32,
  costs: usize,
): u32 {
  const root = request.root;
  const known = findAsk(root.id, request.token);
  const usage = withUsage ? ASK_WITH_USAGE : 0;
  if (known != NONE) {
    setAskFlag(known, usage);
    return addWaiter(known, request) ? WAITS : BUSY;
  }
  if (!hasRoomToWait()) return BUSY;
  const ask = openAsk(root.id, request.token, (mayInsert ? ASK_INSERTS : 0) | usage, readAtUs);
  if (ask == NONE) return BUSY;
  const limits = request.epoch.limits;
  if (leasePlan >= 0 && limits !== null) {
    const planId = unchecked(request.epoch.policy.plans[leasePlan]).id;
    setAskLease(ask, planId, limits.tagOf(leasePlan), costs);
  }
  noteTrace(askTrace(ask));
  if (!hasFreeCall()) {
    queue(root, ask, readAtUs);
  } else {
    carryOwnTrace(askTrace(ask));
    if (!send(root, ask)) {
      closeAsk(ask);
      return UNSENT;
    }
  }
  addWaiter(ask, request);
  return WAITS;
}

/**
 * Queues a session that no request asks about. Unless ASK_INSERTS is among the flags, its record stands: an answer that
 * finds it gone is dropped.
 */
export function queueConfirmation(root: Root, token: usize, nowUs: u64, flags: u32 = 0): bool {
  const ask = openAsk(root.id, token, ASK_CONFIRMS | flags, nowUs);
  if (ask == NONE) return false;
  queue(root, ask, nowUs);
  return true;
}

/** The answer did not name the session: it is asked about again, in a call of its own. */
export function queueAlone(root: Root, ask: u32): void {
  setAskFlag(ask, ASK_ALONE);
  queue(root, ask, monotonicUs());
}

/** For as long as a call may take, and no longer than leaves time for one whose answer still counts. */
function queue(root: Root, ask: u32, nowUs: u64): void {
  const timeoutUs = root.epoch.policy.acquireTimeoutMs * 1000;
  letAskWaitUntil(ask, min(nowUs + timeoutUs, askedAtUs(ask) + <u64>ANSWER_VALID_MS * 1000 - timeoutUs));
  queueAsk(ask);
}

/**
 * Sends queued sessions, as many as calls are free. The host's calls that follow are those of another root.
 * @returns a chain of sessions that could not be sent, and for which Envoy knows no way, or NONE: call again after it
 */
export function sendQueued(): u32 {
  while (hasFreeCall() && firstQueued() != NONE) {
    const batch = takeBatch();
    const root = rootInSlot(slotOfRoot(askRoot(batch)));
    if (root == null || !enterRoot(root.id) || !send(root, batch)) return batch;
  }
  return NONE;
}

/** Sends one call for a chain of sessions. False: it was not sent. */
function send(root: Root, chain: u32): bool {
  leasesBytes = 0;
  for (let asked = chain; asked != NONE; asked = nextAsk(asked)) carryTrace(askTrace(asked));
  let end = writeSession(root, writeAscii(startBody(root.table, callBody), ","), chain);
  let ask = nextAsk(chain);
  if (ask != NONE) {
    end = writeAscii(end, ',"others":[');
    for (let first = true; ask != NONE; ask = nextAsk(ask)) {
      end = writeAscii(writeSession(root, writeAscii(end, first ? "{" : ",{"), ask), "}");
      first = false;
    }
    end = writeAscii(end, "]");
  }
  end = writeAscii(writeUsage(root.table, end, chain), "}");
  if (!post(root.table, CALL_ACQUIRE, ACQUIRE, callBody, end, root.epoch.policy.acquireTimeoutMs)) return false;
  openCall(sentCallId(), root.id, chain, monotonicUs());
  return true;
}

/** `,"usage":[…],"limits":{…}` of the sessions whose records have levels that an answer may replace. */
function writeUsage(table: Table, at: usize, chain: u32): usize {
  let end = at;
  startUsage();
  for (let ask = chain; ask != NONE; ask = nextAsk(ask)) {
    if (!hasAskFlag(ask, ASK_WITH_USAGE)) continue;
    const set = SetCopy.ofSession(table, sessionIdOf(askToken(ask)));
    if (set == 0) continue;
    const record = findRecord(set, sessionIdOf(askToken(ask)));
    // An unverified session's figures count once it is confirmed.
    if (record == 0 || !isLive(record) || isProvisional(record)) continue;
    const annex = annexOf(set, record);
    if (annex != 0) setAskSaidTag(ask, annexTagOf(annex));
    end = writeRow(table, set, record, writeAscii(end, end == at ? ',"usage":[' : ","), monotonicUs());
  }
  return end == at ? at : writeTags(writeAscii(end, "]"));
}

function writeSession(root: Root, at: usize, ask: u32): usize {
  const id = writeAscii(at, '"session":"');
  formatSessionId(sessionIdOf(askToken(ask)), id);
  const end = writeAscii(id + SESSION_ID_CHARS, '"');
  return askLeaseTag(ask) == NO_TAG ? end : writeLease(root, end, ask);
}

/** `,"lease":{"at":…,"cost":{…},"want":{…}}`, at: of the read that found no lease. Where there is no room for more, the session has its lease from a call of its own. */
function writeLease(root: Root, at: usize, ask: u32): usize {
  const limits = root.epoch.limits;
  const planIndex = root.epoch.policy.planIndexById(askLeasePlan(ask));
  if (leasesBytes + MAX_LEASE_BYTES > LEASES_BYTES || limits === null || planIndex < 0) return at;
  if (limits.tagOf(planIndex) != askLeaseTag(ask)) return at;
  const wanted = max<u32>(askWaiters(ask), WANT_LEAST);
  const start = writeDecimal(writeAscii(at, ',"lease":{"at":'), askedAtUs(ask) / 1000);
  const end = writeCosts(start, ',"cost":{', limits, planIndex, askCosts(ask), wanted);
  leasesBytes += <u32>(end - at) + 1;
  return writeAscii(end, "}");
}

/** No answer came: for a short while records that stand are not asked about. */
export function noteUnreachable(): void {
  holdBack(true);
}

/** The control plane is there, but has no answer for this call. The same, but nobody is trusted. */
export function noteBusy(): void {
  holdBack(false);
}

/** Whether another call was answered since: then one that was not says that there are too many, not that nobody answers. */
export function wasAnsweredSince(sentAtUs: u64): bool {
  return answeredAtUs > sentAtUs;
}

function holdBack(away: bool): void {
  isAway = away;
  askAgainAtUs = monotonicUs() + BACKOFF_US + (randomU64() % BACKOFF_US);
}

export function noteReachable(): void {
  askAgainAtUs = 0;
  noteAnswered();
}

/** The control plane has answered a call, if only to reject it. */
export function noteAnswered(): void {
  answeredAtUs = monotonicUs();
}

export function shouldHoldBack(): bool {
  return askAgainAtUs != 0 && monotonicUs() < askAgainAtUs;
}

/** While held back: whether that is because no answer came. */
export function isUnreachable(): bool {
  return isAway;
}
