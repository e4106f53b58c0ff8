// Spending from a session's lease: as from several limits, but that nothing comes back by itself. Where too little is left, the
// control plane is asked, unless it has refused as much a moment before.
import { FLAG_BUDGET_SPENT, MAX_TOKENS } from "../../contract";
import {
  NOT_SPENT,
  NO_LIMIT,
  costOf,
  denyingLimit,
  levelOf,
  putLevels,
  spendAll,
  takeCosts,
  takeLevels,
  tightestLimit,
} from "../../domain/limits/buckets";
import { LimitTable } from "../../domain/limits/limit-table";
import { toPico } from "../../domain/table/bucket";
import {
  dropOverLease,
  hasJustAsked,
  isAsking,
  leaseLeftMs,
  refusedBucketOf,
  refusedCostOf,
  retryInMs,
} from "../../domain/table/lease";
import { hasFlag, noteSpent, recordPlanIdOf, revOf } from "../../domain/table/record";
import { LEASE_LEAD_MS } from "../state/lease-ask";
import { BUCKETS, LeaseNote, leaseNoteFor, lookAtUse, renewAheadMs, requestsIn } from "../state/lease-notes";
import { Request } from "../state/request";
import { namedCosts } from "./named-costs";
import { consumedAtOnce } from "./reservation";
import { ALLOWED, BUDGET_SPENT, LIMITED, REFUSED_BEFORE, Verdict } from "./verdict";

// They stand with what spending comes to (spend.ts).
/** What is left of the session's lease is too little: the control plane is to be asked for one. */
export const LEASE_NEEDED: u32 = 24;
/** The same, and it was asked a moment ago. */
export const LEASE_PENDING: u32 = 25;

/** Decides on the copies of a record and its annex, and spends in them if the outcome is ALLOWED. */
export function spendLease(request: Request, limits: LimitTable, record: usize, annex: usize, verdict: Verdict): u32 {
  const planIndex = verdict.planIndex;
  const buckets = verdict.buckets;
  const cost = request.cost;
  const nowUs = verdict.readAtUs;
  dropOverLease(record, annex, nowUs);
  takeCosts(buckets, limits, planIndex, cost, namedCosts(request.epoch, request.limitCosts));
  takeLevels(buckets, record, annex);
  if (hasFlag(record, FLAG_BUDGET_SPENT) && cost != 0) return decided(verdict, 0, BUDGET_SPENT);
  const denying = denyingLimit(buckets, limits, planIndex);
  const note = noteUse(request, limits, record, verdict);
  if (denying != NO_LIMIT) return lacking(request, record, annex, denying, note, verdict);
  spendAll(buckets, limits, planIndex);
  putLevels(buckets, record, annex);
  noteSpent(record, consumedAtOnce(request), nowUs);
  const tightest = tightestLimit(buckets, limits, planIndex);
  // One that waited was counted as missed; now rev tells of it.
  if (note != null && request.leaseSince != 0 && note.missed > 0) note.missed--;
  if (note != null && isLow(record, annex, tightest, note, verdict)) note.isDue = true;
  return decided(verdict, tightest, ALLOWED);
}

function decided(verdict: Verdict, limit: u32, outcome: u32): u32 {
  verdict.limit = limit;
  verdict.levelPico = levelOf(verdict.buckets, limit);
  return outcome;
}

/** Too little is left. */
function lacking(
  request: Request,
  record: usize,
  annex: usize,
  denying: u32,
  note: LeaseNote | null,
  verdict: Verdict,
): u32 {
  const nowUs = verdict.readAtUs;
  // One that waited is counted already.
  if (note != null && request.leaseSince == 0) note.missed++;
  const refused = refusedBucketOf(record, annex, nowUs);
  if (refused >= 0 && lacks(verdict.buckets, refused) && costOf(verdict.buckets, refused) >= refusedCostOf(annex)) {
    // One that waited for the refusal has made the call.
    if (request.leaseSince == 0 && request.asks == 0) verdict.why = REFUSED_BEFORE;
    verdict.retryMs = retryInMs(annex, nowUs);
    if (note != null) note.refusedUntilUs = nowUs + <u64>verdict.retryMs * 1000;
    return decided(verdict, refused, LIMITED);
  }
  verdict.limit = denying;
  verdict.levelPico = levelOf(verdict.buckets, denying);
  return isAsking(annex, nowUs) || hasJustAsked(record, annex, nowUs) ? LEASE_PENDING : LEASE_NEEDED;
}

function lacks(buckets: usize, limit: u32): bool {
  const cost = costOf(buckets, limit);
  return cost != 0 && cost != NOT_SPENT && levelOf(buckets, limit) < toPico(cost);
}

/** Notes that the session is used, and what its requests cost. Null: there is no room, or the request costs nothing. */
function noteUse(request: Request, limits: LimitTable, record: usize, verdict: Verdict): LeaseNote | null {
  const planIndex = verdict.planIndex;
  const further = limits.furtherOf(planIndex);
  let any: u32 = 0;
  for (let limit: u32 = 0; limit <= further; limit++) any |= spentFrom(verdict.buckets, limit);
  if (any == 0) return null;
  const rev = revOf(record);
  const nowUs = verdict.readAtUs;
  const tag = limits.tagOf(planIndex);
  const tableHash = request.root.table.hash;
  const note = leaseNoteFor(tableHash, request.token, recordPlanIdOf(record), tag, rev, nowUs);
  if (note == null) return null;
  note.usedAtUs = nowUs;
  note.isIdle = false;
  takeCostsOf(verdict.buckets, further, note.costs);
  lookAtUse(note, rev, nowUs);
  return note;
}

/** Puts what a request takes from each bucket at `target`: u32 × BUCKETS, 0 where it takes nothing. */
export function takeCostsOf(buckets: usize, further: u32, target: usize): void {
  memory.fill(target, 0, BUCKETS * 4);
  for (let limit: u32 = 0; limit <= further; limit++) store<u32>(target + (limit << 2), spentFrom(buckets, limit));
}

function spentFrom(buckets: usize, limit: u32): u32 {
  const cost = costOf(buckets, limit);
  return cost == NOT_SPENT ? 0 : cost;
}

/** Whether what is left will not last until the answer to an ask of the next tick. */
function isLow(record: usize, annex: usize, tightest: u32, note: LeaseNote, verdict: Verdict): bool {
  const nowUs = verdict.readAtUs;
  if (refusedBucketOf(record, annex, nowUs) >= 0 || isAsking(annex, nowUs)) return false;
  if (note.rate == 0) return false;
  if (leaseLeftMs(record, annex, nowUs) <= renewAheadMs(note, LEASE_LEAD_MS)) return true;
  const tokens = requestsIn(note, LEASE_LEAD_MS) * spentFrom(verdict.buckets, tightest);
  return levelOf(verdict.buckets, tightest) < toPico(<u32>min(tokens, <u64>MAX_TOKENS));
}
