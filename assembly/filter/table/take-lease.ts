// Taking the answer to an ask for a lease: what is granted may be spent here from then on, until the lease ends.
import { FLAG_REFRESH, MICROTOKENS_PER_TOKEN } from "../../contract";
import { LeaseAnswer } from "../../domain/edge/lease-answer";
import { LimitTable } from "../../domain/limits/limit-table";
import { annexWith } from "../../domain/table/annex";
import { fromMicrotokens } from "../../domain/table/bucket";
import {
  askOf,
  clearRefusal,
  dropOverLease,
  endLease,
  extendLease,
  pendingOf,
  setApplied,
  setRefusal,
  skipTo,
} from "../../domain/table/lease";
import { isLive, isPastEnd, setFlag } from "../../domain/table/record";
import { findRecord } from "../../domain/table/set";
import { sessionIdOf } from "../../domain/token/token";
import { monotonicUs } from "../../host/clock";
import { ASK_RETURN, LeaseAsk } from "../state/lease-ask";
import { Table } from "../state/table";
import { CAS_EXHAUSTED, CAS_RETRIES, count } from "../vm/counters";
import {
  ASK_DROPPED,
  ASK_GRANTED,
  ASK_OVER,
  ASK_REFUSED,
  ASK_RETURNED,
  ASK_STALE,
  TOKENS_GRANTED,
  countLease,
} from "../vm/lease-counters";
import { bucketLevelAt } from "./bucket-levels";
import { NO_LOG, readLogCursor, seenLogOfCursor } from "./log-cursor";
import { MAX_CAS_TRIES } from "./session-table";
import { SetCopy } from "./set-copy";

/** @returns what came of it: ASK_… of lease-counters.ts */
export function takeLease(
  table: Table,
  limits: LimitTable,
  planIndex: u32,
  ask: LeaseAsk,
  answer: LeaseAnswer,
  log: u64,
): u32 {
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const nowUs = monotonicUs();
    const set = SetCopy.ofSession(table, sessionIdOf(ask.token));
    if (set == 0) return ASK_DROPPED;
    const record = findRecord(set, sessionIdOf(ask.token));
    if (record == 0 || !isLive(record) || isPastEnd(record, nowUs)) return ASK_DROPPED;
    const annex = annexWith(set, record, ask.tag);
    // The answer to a former number, or one that came before.
    if (annex == 0 || askOf(annex) != ask.ask || pendingOf(annex) == 0 || !isOfLog(table, log)) return ASK_DROPPED;
    // What it grants is over: nothing of it is taken, and so the next ask says.
    if (answer.grantsAny && isLate(ask, answer, nowUs)) return ASK_DROPPED;
    const outcome = apply(record, annex, limits, planIndex, ask, answer, nowUs);
    if (SetCopy.write(table)) {
      if (outcome == ASK_GRANTED) countLease(TOKENS_GRANTED, tokensOf(answer));
      return outcome;
    }
    count(CAS_RETRIES);
  }
  count(CAS_EXHAUSTED);
  return ASK_DROPPED;
}

function isLate(ask: LeaseAsk, answer: LeaseAnswer, nowUs: u64): bool {
  return nowUs >= ask.askedAtUs + <u64>answer.ttlMs * 1000;
}

/** Granted by a control plane that this edge no longer follows: it counts for nothing. */
function isOfLog(table: Table, log: u64): bool {
  readLogCursor(table);
  const seenLog = seenLogOfCursor();
  return seenLog == NO_LOG || seenLog == log;
}

function apply(
  record: usize,
  annex: usize,
  limits: LimitTable,
  planIndex: u32,
  ask: LeaseAsk,
  answer: LeaseAnswer,
  nowUs: u64,
): u32 {
  if (answer.isAsk != 0) {
    skipTo(annex, answer.isAsk, nowUs);
    return ASK_STALE;
  }
  setApplied(annex);
  if (answer.isOver) {
    endLease(record, annex, nowUs);
    setFlag(record, FLAG_REFRESH);
    return ASK_OVER;
  }
  // Before the new end counts: what was left of a lease that is over must not come back with it.
  dropOverLease(record, annex, nowUs);
  addGrants(record, annex, limits, planIndex, ask, answer);
  if (ask.why == ASK_RETURN) return ASK_RETURNED;
  if (!isLate(ask, answer, nowUs)) extendLease(record, annex, ask.askedAtUs, answer.ttlMs, nowUs);
  if (!answer.isRefused) {
    clearRefusal(annex);
    return ASK_GRANTED;
  }
  // Perhaps beside a grant, which was less than is wanted: more is not to be asked for yet.
  const bucket = limits.bucketNamed(planIndex, answer.refusedName);
  setRefusal(annex, bucket, load<u32>(ask.costs + (bucket << 2)), answer.retryAfterMs, nowUs);
  return answer.grantsAny ? ASK_GRANTED : ASK_REFUSED;
}

/** The control plane has taken over what the table owed, and what it grants is there to be spent. */
function addGrants(
  record: usize,
  annex: usize,
  limits: LimitTable,
  planIndex: u32,
  ask: LeaseAsk,
  answer: LeaseAnswer,
): void {
  const further = limits.furtherOf(planIndex);
  for (let bucket: u32 = 0; bucket <= further; bucket++) {
    const entry = limits.limitOf(planIndex, bucket);
    const levelAt = bucketLevelAt(record, annex, bucket);
    const grant = answer.grantOf(bucket == 0 ? "" : limits.nameOf(entry));
    const level = load<i64>(levelAt) - load<i64>(ask.debts + (bucket << 3));
    store<i64>(levelAt, min(level + fromMicrotokens(grant), entry.capacity));
  }
}

function tokensOf(answer: LeaseAnswer): u64 {
  let micro: i64 = 0;
  for (let i = 0; i < answer.grantedMicro.length; i++) micro += answer.grantedMicro[i];
  return <u64>(micro / MICROTOKENS_PER_TOKEN);
}
