// Marking an ask for a lease in the session's annex: of all workers of this edge, the one that marks it sends it.
import { MAX_TOKENS } from "../../contract";
import { LimitTable } from "../../domain/limits/limit-table";
import { annexWith } from "../../domain/table/annex";
import { elapsedUsSince, fromMicrotokens, microtokensUp, toMicrotokens, toPico } from "../../domain/table/bucket";
import {
  appliedOf,
  dropOverLease,
  endLease,
  hasJustAsked,
  isAsking,
  leaseLeftMs,
  markAsk,
  refusedBucketOf,
  refusedCostOf,
  retryInMs,
} from "../../domain/table/lease";
import { isLive, isPastEnd, refilledAtUsOf, revOf } from "../../domain/table/record";
import { findRecord } from "../../domain/table/set";
import { sessionIdOf } from "../../domain/token/token";
import { monotonicUs } from "../../host/clock";
import { LEASE_EARLY_MS, ASK_AHEAD, ASK_RETURN, LeaseAsk } from "../state/lease-ask";
import { BUCKETS, LeaseNote } from "../state/lease-notes";
import { Table } from "../state/table";
import { CAS_EXHAUSTED, CAS_RETRIES, count } from "../vm/counters";
import { bucketLevelAt } from "./bucket-levels";
import { MAX_CAS_TRIES } from "./session-table";
import { SetCopy } from "./set-copy";

/** What the last ask that was marked says of the table. */
export class Marked {
  static applied: u32 = 0;
  /** The record's. */
  static rev: u32 = 0;
}

/** Of that ask: i64 × BUCKETS, microtokens, what the table has left, and what it gives back. */
export const leftMicro: usize = memory.data(BUCKETS * 8, 8);
export const backMicro: usize = memory.data(BUCKETS * 8, 8);

// What marking an ask came to.
export const MARKED: u32 = 0;
/** There is no reason for it any more. */
export const MARK_NEEDLESS: u32 = 1;
/** Another worker spends, or asked a moment ago. */
export const MARK_LATER: u32 = 2;

/**
 * Marks an ask, where there is still a reason for it. But for MARKED, it is not to be sent.
 * @param note the session's; null: this worker has none
 */
export function markLease(
  table: Table,
  limits: LimitTable,
  planIndex: u32,
  ask: LeaseAsk,
  note: LeaseNote | null,
): u32 {
  const further = limits.furtherOf(planIndex);
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    const nowUs = monotonicUs();
    const set = SetCopy.ofSession(table, sessionIdOf(ask.token));
    if (set == 0) return MARK_NEEDLESS;
    const record = findRecord(set, sessionIdOf(ask.token));
    if (record == 0 || !isLive(record) || isPastEnd(record, nowUs)) return MARK_NEEDLESS;
    const annex = annexWith(set, record, ask.tag);
    if (annex == 0) return MARK_NEEDLESS;
    if (isAsking(annex, nowUs) || hasJustAsked(record, annex, nowUs)) return MARK_LATER;
    // Another worker spends.
    if (ask.why == ASK_RETURN && elapsedUsSince(refilledAtUsOf(record), nowUs) < <u64>ask.idleMs * 1000)
      return MARK_LATER;
    if (!hasReason(record, annex, further, ask, note, nowUs)) return MARK_NEEDLESS;
    mark(record, annex, further, ask, nowUs);
    if (SetCopy.write(table)) return MARKED;
    count(CAS_RETRIES);
  }
  count(CAS_EXHAUSTED);
  return MARK_LATER;
}

function hasReason(record: usize, annex: usize, further: u32, ask: LeaseAsk, note: LeaseNote | null, nowUs: u64): bool {
  const leftMs = leaseLeftMs(record, annex, nowUs);
  if (ask.why == ASK_RETURN) {
    if (ask.hasUsed && leftMs != 0) return true;
    return (note != null && note.hasSettled) || holdsAny(record, annex, further, leftMs != 0);
  }
  const isAhead = ask.why == ASK_AHEAD;
  const refused = refusedBucketOf(record, annex, nowUs);
  if (isAhead && refused >= 0 && retryInMs(annex, nowUs) > LEASE_EARLY_MS) return false;
  if (refused >= 0 && !isAhead && refusedCostOf(annex) <= load<u32>(ask.costs + ((<u32>refused) << 2))) return false;
  if (isAhead && leftMs <= ask.leadMs) return true;
  return lacksAny(record, annex, further, ask, isAhead ? ask.lead : 1, leftMs != 0);
}

/** Whether there is something to give back, or a debt to say. */
function holdsAny(record: usize, annex: usize, further: u32, lives: bool): bool {
  for (let bucket: u32 = 0; bucket <= further; bucket++) {
    const level = load<i64>(bucketLevelAt(record, annex, bucket));
    if (level < 0 || (lives && level > 0)) return true;
  }
  return false;
}

/** Whether a bucket has too little for so many requests. */
function lacksAny(record: usize, annex: usize, further: u32, ask: LeaseAsk, requests: u32, lives: bool): bool {
  for (let bucket: u32 = 0; bucket <= further; bucket++) {
    const cost = load<u32>(ask.costs + (bucket << 2));
    if (cost == 0) continue;
    const level = load<i64>(bucketLevelAt(record, annex, bucket));
    const wanted = toPico(<u32>min(<u64>cost * requests, <u64>MAX_TOKENS));
    if ((lives || level < 0 ? level : 0) < wanted) return true;
  }
  return false;
}

function mark(record: usize, annex: usize, further: u32, ask: LeaseAsk, nowUs: u64): void {
  dropOverLease(record, annex, nowUs);
  Marked.applied = appliedOf(annex);
  Marked.rev = revOf(record);
  ask.ask = markAsk(annex, nowUs);
  ask.askedAtUs = nowUs;
  memory.fill(leftMicro, 0, BUCKETS * 8);
  memory.fill(backMicro, 0, BUCKETS * 8);
  const isReturn = ask.why == ASK_RETURN;
  for (let bucket: u32 = 0; bucket <= further; bucket++) {
    const level = load<i64>(bucketLevelAt(record, annex, bucket));
    const micro = toMicrotokens(level);
    const at = bucket << 3;
    store<i64>(ask.debts + at, micro < 0 ? fromMicrotokens(micro) : 0);
    if (isReturn && micro > 0) store<i64>(backMicro + at, micro);
    // What may still be spent is never said to be less than it is.
    else store<i64>(leftMicro + at, micro > 0 ? microtokensUp(level) : micro);
  }
  // Another worker has nothing to give back then.
  if (isReturn) endLease(record, annex, nowUs);
}
