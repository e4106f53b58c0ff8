// How much an edge gets of a budget: enough for a while, and no more than its part where others want some too.
import {
  LEASE_GRACE_MS,
  LEASE_RETRY_MS,
  LEASE_SHARE_MS,
  LEASE_TTL_MS,
  LEASE_WANT_MS,
} from "../../../../assembly/contract.js";
import { capacityMicro } from "../level.js";
import type { BucketLimits } from "../level.js";
import { exactRate } from "../policy/rate.js";
import { amountIn, amountsOf, isNothing, lives, NOTHING, outstandingIn } from "./amounts.js";
import { levelIn } from "./budget-now.js";
import { bucketsOfPlan, msToGain } from "./exact-level.js";
import type { Amounts, FleetBudget, Lease, Refusal } from "./fleet-budget.js";
import type { FleetPlan, LeaseAsk } from "./lease-ask.js";

const MS_PER_SECOND = 1000;
/** An edge may ask so long before its time, where that saves a call. */
const EARLY_MS = 100;
/** However little was granted, it is to last so long. */
const LEAST_PACE_MS = 200;
/** But where the bucket would be full by then: until it is told what was spent, nothing is refilled. */
const LEAST_PACE_NEAR_FULL_MS = 100;
/** What a refused request lacked is left to it so much longer: a client goes by whole seconds. */
const CLAIM_MS = 1200;
/** Longer waits are not told: an edge counts ms in 31 bits. */
const MAX_RETRY_MS = 86_400_000;

export interface Sized {
  readonly granted: Amounts;
  readonly refused?: Refusal;
  /** Where something is granted. */
  readonly pacedUntilMs?: number;
}

interface Asker {
  readonly ask: LeaseAsk;
  readonly kept: Amounts;
  /** Its lease so far; undefined where it has none. */
  readonly known: Lease | undefined;
}

/** One bucket, as this asker finds it. Microtokens. */
interface Bucket {
  readonly name: string;
  readonly limits: BucketLimits;
  /** What a waiting request lacks; 0: none waits for this bucket. */
  readonly need: number;
  /** What should be granted. */
  readonly target: number;
  /** Of what all want, the part that is wanted here; 0 to 1. */
  readonly part: number;
  /** For how long what is granted is to last, ms. */
  readonly paceMs: number;
  /** What may be granted: what others wait for longer is not in it. */
  readonly free: number;
  readonly grant: number;
}

/** @param budget without the asker's lease */
export function sizeLease(budget: FleetBudget, asker: Asker, plan: FleetPlan): Sized {
  if (isNothing(asker.ask.want)) return { granted: NOTHING };
  const buckets = [...bucketsOfPlan(plan)].map(([name, limits]) => bucketFor(name, limits, budget, asker));
  // A request spends from all of its buckets or from none.
  const short = buckets.filter(({ need, grant }) => need > grant);
  const grants = new Map(buckets.map(({ name, grant }) => [name, short.length > 0 ? 0 : grant]));
  const granted = amountsOf(grants.keys(), (name) => grants.get(name) ?? 0);
  const lacking = short.length > 0 ? short : buckets.filter((bucket) => isPaced(bucket, budget));
  const [refused] = lacking
    .map((bucket) => refusalOf(bucket, budget, asker))
    .sort((one, other) => other.untilMs - one.untilMs);
  const paceMs = Math.max(0, ...buckets.filter(({ grant }) => grant > 0).map((bucket) => bucket.paceMs));
  const paced = isNothing(granted) ? {} : { pacedUntilMs: budget.atMs + paceMs };
  return refused === undefined ? { granted, ...paced } : { granted, refused, ...paced };
}

/**
 * A part of the budget by what is wanted where, so that no edge takes it all; but what a request costs, if it is there.
 * Less than the part is not worth a call, unless nothing was granted for a while.
 */
function bucketFor(name: string, limits: BucketLimits, budget: FleetBudget, asker: Asker): Bucket {
  const { ask, kept, known } = asker;
  const cost = amountIn(ask.cost, name);
  const keeps = amountIn(kept, name);
  const need = Math.max(0, cost - keeps);
  const part = partIn(name, budget, ask);
  const share = Math.max(Math.floor(part * giveable(name, limits, budget)), cost);
  const target = Math.max(need, Math.min(amountIn(ask.want, name) - keeps, share), 0);
  const free = levelIn(budget, name) - claimsIn(name, target, budget, sinceMs(name, budget, known));
  const isDue = budget.atMs + EARLY_MS >= (known?.pacedUntilMs ?? 0);
  const isEnough = free >= target / 2 || (isDue && free >= Math.max(need, Math.min(cost, target), 1));
  const grant = inRequests(isEnough ? Math.min(target, free) : 0, keeps, cost);
  const lastsMs = Math.ceil(LEASE_SHARE_MS * Math.min(1, (2 * grant) / Math.max(share, 1)));
  const fullInMs = Math.max(LEAST_PACE_NEAR_FULL_MS, untilFullMs(name, keeps, limits, budget));
  const paceMs = Math.min(Math.max(LEAST_PACE_MS, lastsMs), fullInMs);
  return { name, limits, need, target, part, paceMs, free, grant };
}

/** ms until what is there and what is out fill the bucket. */
function untilFullMs(name: string, keeps: number, limits: BucketLimits, budget: FleetBudget): number {
  const held = levelIn(budget, name) + outstandingIn(budget.leases, name) + keeps;
  return msToGain(Math.max(0, capacityMicro(limits) - held), limits);
}

/** So much that whole requests are covered, where at least one is: what is left over would only be given back. */
const inRequests = (grant: number, keeps: number, cost: number): number =>
  cost === 0 || keeps + grant < cost ? grant : Math.max(0, Math.floor((keeps + grant) / cost) * cost - keeps);

/** By what is wanted where, but never less than an equal part: who wants little asks seldom then. */
function partIn(name: string, budget: FleetBudget, ask: LeaseAsk): number {
  const own = amountIn(ask.want, name);
  const others = budget.leases.filter((lease) => hasAskedLately(lease, budget.atMs) && amountIn(lease.want, name) > 0);
  const all = others.reduce((sum, { want }) => sum + amountIn(want, name), own);
  return all <= 0 ? 0 : Math.max(own / all, 1 / (1 + others.length));
}

/** Who has not asked for longer has enough, or has nobody who wants any more. */
const hasAskedLately = (lease: Lease, nowMs: number): boolean =>
  lives(lease, nowMs) && lease.untilMs - LEASE_TTL_MS - LEASE_GRACE_MS + LEASE_WANT_MS > nowMs;

/** What is given to all together at once: half of what is there, or what comes in a while. */
function giveable(name: string, limits: BucketLimits, budget: FleetBudget): number {
  const { micro, seconds } = exactRate(limits);
  const refill = (micro * LEASE_SHARE_MS) / (seconds * MS_PER_SECOND);
  return Math.min(capacityMicro(limits) / 2, Math.max(levelIn(budget, name) / 2, refill));
}

/** Not even so much again is there: the edge goes on with what it has, and asks again when more has come. */
const isPaced = ({ name, target, grant }: Bucket, budget: FleetBudget): boolean =>
  target > 0 && levelIn(budget, name) - grant < target;

/** What others wait for longer than the asker, who wants as much at once. */
function claimsIn(name: string, target: number, budget: FleetBudget, beforeMs: number): number {
  const claims = budget.leases.flatMap(({ refused }) => (refused === undefined ? [] : [refused]));
  return claims
    .filter(({ bucket, untilMs }) => bucket === name && budget.atMs < untilMs + CLAIM_MS)
    .filter((claim) => claim.sinceMs < beforeMs && claim.need <= target)
    .reduce((sum, { need }) => sum + need, 0);
}

/** Since when the asker waits for this bucket: now, where it has only begun to. */
function sinceMs(name: string, { atMs }: FleetBudget, known: Lease | undefined): number {
  const before = known?.refused;
  const goesOn = before?.bucket === name && before.need > 0 && atMs < before.untilMs + CLAIM_MS;
  return goesOn ? before.sinceMs : atMs;
}

function refusalOf(
  { name, limits, need, target, part, paceMs, grant }: Bucket,
  budget: FleetBudget,
  asker: Asker,
): Refusal {
  const { known } = asker;
  const level = levelIn(budget, name) - grant;
  const dueInMs = grant > 0 ? paceMs : (known?.pacedUntilMs ?? 0) - budget.atMs;
  const soonestMs = Math.max(msToGain(Math.max(need, 1) - level, limits), dueInMs);
  const wholeMs = Math.ceil(msToGain(target - level, limits) / (part || 1));
  const waitMs = grant > 0 ? soonestMs : Math.min(wholeMs, soonestMs);
  // What is out elsewhere may come back.
  const isOut = budget.leases.some(({ outstanding }) => amountIn(outstanding, name) > 0);
  const mostMs = isOut ? LEASE_WANT_MS : MAX_RETRY_MS;
  const retryMs = Math.max(LEASE_RETRY_MS, Math.min(waitMs, mostMs));
  return {
    bucket: name,
    untilMs: budget.atMs + retryMs,
    need: grant > 0 ? 0 : need,
    sinceMs: sinceMs(name, budget, known),
  };
}
