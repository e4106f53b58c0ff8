// What a session's fleet budget begins with, and what becomes of it in another life of the store.
import { LEASE_GRACE_MS, LEASE_TTL_MS } from "../../../../assembly/contract.js";
import { isFormer } from "../former-rows.js";
import { capacityMicro, refilledMicro } from "../level.js";
import type { BucketLimits } from "../level.js";
import { levelNamed } from "../limit-levels.js";
import type { LevelAt } from "../limit-levels.js";
import type { Figures } from "../stored.js";
import { NOTHING } from "./amounts.js";
import { bucketsOfPlan, EMPTY, exactly, levelUnder, refilled } from "./exact-level.js";
import { OWN_BUCKET } from "./fleet-budget.js";
import type { ExactLevel, FleetBudget } from "./fleet-budget.js";
import type { LeaseMoment } from "./lease-ask.js";

/** So long after it was given a lease can be in use, whatever became of the commit. */
export const LEASE_LIFE_MS = LEASE_TTL_MS + LEASE_GRACE_MS;

/** An acquire's number is so much above the last one: marks of a former record that are still under way are below it. */
export const ASKS_OF_A_RECORD = 4096;
/** The same for all numbers that commits gave out which another life of the store does not know. */
const ASKS_OF_LOST_COMMITS = 16 * ASKS_OF_A_RECORD;

/** The budget with all buckets of the plan, as it was stored in this life of the store; or the first one of the session. */
export function budgetOf(known: FleetBudget | undefined, moment: LeaseMoment): FleetBudget {
  if (known === undefined) return withNewBuckets(firstBudget(moment), moment);
  return withNewBuckets(known.log === moment.log ? known : inAnotherLife(known, moment), moment);
}

/** Of a session that is older than the store's life, what it was granted in the life before is not known. */
function firstBudget({ log, fleetMs, wallMs, plan, lifeBeganMs }: LeaseMoment): FleetBudget {
  const isOlder = lifeBeganMs !== undefined;
  return {
    ...{ log, wallMs, planId: plan.id, levels: {}, leases: [], atMs: fleetMs },
    frozenUntilMs: isOlder ? lifeBeganMs + LEASE_LIFE_MS : 0,
    forgottenAsk: isOlder ? ASKS_OF_LOST_COMMITS : 0,
  };
}

/**
 * A bucket of which nothing is known is full, unless the session is older than the store's life: then it may have been spent
 * from in the life before, so it has what came in since leases of that have ended.
 */
function withNewBuckets(budget: FleetBudget, { plan, lifeBeganMs, by }: LeaseMoment): FleetBudget {
  const missing = [...bucketsOfPlan(plan)].filter(([name]) => !Object.hasOwn(budget.levels, name));
  if (missing.length === 0) return budget;
  const at = { fleetMs: budget.atMs, by };
  const levelOfNew = (limits: BucketLimits): ExactLevel => {
    if (lifeBeganMs === undefined) return exactly(capacityMicro(limits), at);
    return refilled(EMPTY, budget.atMs - (lifeBeganMs + LEASE_LIFE_MS), limits, { room: capacityMicro(limits), at });
  };
  const added = Object.fromEntries(missing.map(([name, limits]) => [name, levelOfNew(limits)]));
  return { ...budget, levels: { ...budget.levels, ...added } };
}

/**
 * Commits of the life before may be lost: then edges hold leases that nobody knows of. So nothing is left but debts, and
 * nothing is granted, credited or refilled until all those have ended. New numbers lie above the lost ones: whatever was
 * asked before counts for nothing. The fleet clock of a life goes on from what the store had when that began: times of the life before
 * may lie ahead of it.
 */
function inAnotherLife(budget: FleetBudget, { log, fleetMs, plan, lifeBeganMs }: LeaseMoment): FleetBudget {
  const names = new Set([...Object.keys(budget.levels), ...bucketsOfPlan(plan).keys()]);
  const known = new Map(Object.entries(budget.levels));
  const levels = [...names].map((name) => [name, withoutTokens(known.get(name))]);
  // A session that was not there when the life began has no budget of another one.
  const frozenUntilMs = (lifeBeganMs ?? fleetMs) + LEASE_LIFE_MS;
  return {
    ...budget,
    log,
    levels: Object.fromEntries(levels) as FleetBudget["levels"],
    leases: budget.leases.map(({ refused: _refused, ...lease }) => ({
      ...{ ...lease, ask: lease.ask + ASKS_OF_LOST_COMMITS, unnumbered: true },
      ...{ granted: NOTHING, debtTaken: NOTHING, untilMs: Math.min(lease.untilMs, frozenUntilMs) },
    })),
    atMs: Math.min(lifeBeganMs ?? fleetMs, fleetMs),
    frozenUntilMs,
    forgottenAsk: budget.forgottenAsk + ASKS_OF_LOST_COMMITS,
  };
}

const withoutTokens = ({ micro, under }: ExactLevel = EMPTY): ExactLevel => ({
  ...{ ...EMPTY, micro: Math.min(0, micro) },
  ...(under && { under }),
});

/**
 * Lower where edges spent by themselves: no more than would be left if their buckets had been one.
 * @param budget as it is now
 * @param sinceMs what was reported until then counts already, ms since the epoch
 */
export function lowered(budget: FleetBudget, sinceMs: number, moment: LeaseMoment): FleetBudget {
  const { wallMs, plan, rows, by } = moment;
  const newer = rows.flatMap(({ figures, ...instance }) =>
    figures === null || figures.isLease || isFormer(instance) || figures.reportedAtMs <= sinceMs ? [] : [figures],
  );
  if (newer.length === 0) return budget;
  const at = { fleetMs: budget.atMs, by };
  const levels = { ...budget.levels };
  for (const [name, limits] of bucketsOfPlan(plan)) {
    const capacity = capacityMicro(limits);
    const missing = newer.reduce((sum, figures) => sum + missingIn(levelOf(figures, name), limits, wallMs), 0);
    const most = Math.max(capacity - missing, -capacity);
    if (missing > 0 && (levels[name]?.micro ?? capacity) > most) levels[name] = levelUnder(exactly(most, at), limits);
  }
  return { ...budget, levels };
}

const levelOf = (figures: Figures, name: string): LevelAt | undefined =>
  name === OWN_BUCKET ? figures : levelNamed(figures.limits, name);

/** What a bucket lacks to be full by now, microtokens. */
function missingIn(level: LevelAt | undefined, limits: BucketLimits, wallMs: number): number {
  if (level === undefined) return 0;
  return capacityMicro(limits) - refilledMicro(level.levelMicro, wallMs - level.atMs, limits);
}
