// The annex of a session whose plan is of scope fleet, as an acquire's answer makes it; and what becomes of one when its plan is
// of scope edge again.
import { MAX_LIMITS_OF_PLAN } from "../../contract";
import { AcquireAnswer } from "../../domain/edge/acquire-answer";
import { LimitTable } from "../../domain/limits/limit-table";
import { annexLevelsOf, annexOf, annexTagOf, setAnnexTag } from "../../domain/table/annex";
import { fromMicrotokens } from "../../domain/table/bucket";
import {
  appliedOf,
  askOf,
  clearLease,
  clearRefusal,
  dropOverLease,
  extendLease,
  noteAsked,
  setAsk,
  setRefusal,
} from "../../domain/table/lease";
import { levelPicoOf, setLevelPico } from "../../domain/table/record";
import { isFleetTag } from "../state/tag-names";
import { ASK_GRANTED, ASK_REFUSED, countLease } from "../vm/lease-counters";
import { bucketLevelAt } from "./bucket-levels";
import { addAnnex } from "./slot";

const LEVELS_BYTES: u32 = <u32>MAX_LIMITS_OF_PLAN * 8;
/** Levels that a former lease left: of them only what is owed goes on. */
const former: usize = memory.data(LEVELS_BYTES, 8);

/**
 * Gives the record in a copy of its set an annex of its plan, which is of scope fleet. One that is there keeps its lease;
 * one that is made begins with the answer's.
 * @param names of the limits of the annex that is there, in their order; null: they are not known
 * @param askedAtUs clock before the read that led to the answer's ask
 * @returns false if there is no slot for the annex
 */
export function putLease(
  set: usize,
  record: usize,
  limits: LimitTable,
  planIndex: u32,
  names: string[] | null,
  answer: AcquireAnswer | null,
  askedAtUs: u64,
  nowUs: u64,
): bool {
  let annex = annexOf(set, record);
  if (annex != 0 && annexTagOf(annex) == limits.tagOf(planIndex)) {
    // The control plane may have more to say than it had.
    clearRefusal(annex);
    return true;
  }
  const wasLease = annex != 0 && isFleetTag(annexTagOf(annex));
  setLevelPico(record, wasLease ? min(levelPicoOf(record), 0) : 0);
  if (annex != 0) memory.copy(former, annexLevelsOf(annex), LEVELS_BYTES);
  else annex = addAnnex(set, record, nowUs);
  if (annex == 0) return false;
  // Asks go on from the number of the lease that was there.
  const ask = wasLease ? askOf(annex) : 0;
  const applied = wasLease ? appliedOf(annex) : 0;
  memory.fill(annexLevelsOf(annex), 0, LEVELS_BYTES);
  clearLease(annex);
  setAsk(annex, ask, applied);
  setAnnexTag(annex, limits.tagOf(planIndex));
  if (wasLease && names !== null) keepDebts(annex, limits, planIndex, names);
  if (answer !== null) takeFirst(record, annex, limits, planIndex, answer, askedAtUs, nowUs);
  return true;
}

/** What another lease's annex owed, by name. What one of scope edge owed, the ask has told. */
function keepDebts(annex: usize, limits: LimitTable, planIndex: u32, names: string[]): void {
  const further = limits.furtherOf(planIndex);
  for (let limit: u32 = 1; limit <= further; limit++) {
    const at = names.indexOf(limits.nameOf(limits.limitOf(planIndex, limit)));
    if (at < 0) continue;
    store<i64>(annexLevelsOf(annex) + ((limit - 1) << 3), min(load<i64>(former + ((<u32>at) << 3)), 0));
  }
}

function takeFirst(
  record: usize,
  annex: usize,
  limits: LimitTable,
  planIndex: u32,
  answer: AcquireAnswer,
  askedAtUs: u64,
  nowUs: u64,
): void {
  const lease = answer.lease;
  if (lease === null || answer.leaseCosts == 0 || lease.isOver || lease.isAsk != 0) return;
  // An answer from before that number: what it granted has been asked about since, or is void.
  if (lease.ask <= askOf(annex)) return;
  setAsk(annex, lease.ask, lease.ask);
  if (lease.isRefused) {
    const bucket = limits.bucketNamed(planIndex, lease.refusedName);
    noteAsked(annex, askedAtUs);
    setRefusal(annex, bucket, load<u32>(answer.leaseCosts + (bucket << 2)), lease.retryAfterMs, nowUs);
  }
  countLease(lease.isRefused && !lease.grantsAny ? ASK_REFUSED : ASK_GRANTED, 1);
  if (nowUs >= askedAtUs + <u64>lease.ttlMs * 1000) return;
  const further = limits.furtherOf(planIndex);
  for (let bucket: u32 = 0; bucket <= further; bucket++) {
    const entry = limits.limitOf(planIndex, bucket);
    const levelAt = bucketLevelAt(record, annex, bucket);
    const grant = lease.grantOf(bucket == 0 ? "" : limits.nameOf(entry));
    store<i64>(levelAt, min(load<i64>(levelAt) + fromMicrotokens(grant), entry.capacity));
  }
  extendLease(record, annex, askedAtUs, lease.ttlMs, nowUs);
}

/**
 * The record's plan is of scope edge now, and its annex has what is left of a lease. The control plane's answer says what
 * each bucket holds: nothing of the lease stays but what it owes. Without an answer, what is left goes on as the level.
 * @param capacity of the plan's own bucket, picotokens
 */
export function leaveLease(record: usize, annex: usize, answer: AcquireAnswer | null, capacity: i64, nowUs: u64): void {
  if (answer === null) {
    dropOverLease(record, annex, nowUs);
    clearLease(annex);
    return;
  }
  const answered = max(min(fromMicrotokens(answer.levelMicro), capacity), -capacity);
  const own = levelPicoOf(record);
  setLevelPico(record, own < 0 ? min(own, answered) : answered);
  const levels = annexLevelsOf(annex);
  for (let limit = 0; limit < MAX_LIMITS_OF_PLAN; limit++) {
    // Above any level: the lower of this and the answer's counts (answered-limits.ts).
    if (load<i64>(levels + (limit << 3)) >= 0) store<i64>(levels + (limit << 3), i64.MAX_VALUE);
  }
  clearLease(annex);
}
