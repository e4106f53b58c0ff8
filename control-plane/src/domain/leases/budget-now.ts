// A budget as it is some time later: refilled, and without what leases that have ended held.
import { lives, NOTHING, outstandingIn, plus } from "./amounts.js";
import { bucketsOfPlan, exactly, levelUnder, limitsSince, refilled, roomOf } from "./exact-level.js";
import type { Moment } from "./clock-lead.js";
import type { Amounts, ExactLevel, FleetBudget, Lease } from "./fleet-budget.js";
import type { FleetPlan } from "./lease-ask.js";
import { capacityMicro } from "../level.js";

type Levels = FleetBudget["levels"];

/** The budget at a moment, and what was still outstanding of leases that ended until then: it counts as spent. */
export interface BudgetNow {
  readonly budget: FleetBudget;
  readonly expired: Amounts;
}

/**
 * The budget at `fleetMs`, or as it is where that lies behind it. What a lease holds stands in the way of refill until the
 * very ms of its end: the edge may have spent it just then.
 */
export function budgetAt(budget: FleetBudget, plan: FleetPlan, { fleetMs, by }: Moment): BudgetNow {
  const nowMs = Math.max(Math.floor(fleetMs), budget.atMs);
  const at = { fleetMs: nowMs, by };
  const ends = budget.leases.map(({ untilMs }) => untilMs).filter((endMs) => endMs > budget.atMs && endMs < nowMs);
  let { levels, leases, atMs } = budget;
  let expired = NOTHING;
  for (const endMs of [...new Set(ends)].sort((a, b) => a - b).concat(nowMs)) {
    levels = levelsAfter({ levels, leases }, plan, passedMs(atMs, endMs, budget.frozenUntilMs), at);
    expired = plus(expired, outstandingAtEnd(leases, endMs));
    leases = leases.map((lease) => (lives(lease, endMs) ? lease : { ...lease, outstanding: NOTHING }));
    atMs = endMs;
  }
  // A plan that became smaller, or an end in the very last ms: what there is fits into what is free. From now on the plan's
  // present limits count.
  levels = levelsAfter({ levels: underPlan(levels, plan), leases }, plan, 0, at);
  return { budget: { ...budget, atMs, levels, leases }, expired };
}

function underPlan(levels: Levels, plan: FleetPlan): Levels {
  const limits = bucketsOfPlan(plan);
  const under = (name: string, level: ExactLevel): ExactLevel => {
    const of = limits.get(name);
    return of === undefined ? level : levelUnder(level, of);
  };
  return Object.fromEntries(Object.entries(levels).map(([name, level]) => [name, under(name, level)]));
}

/** While the budget is frozen no time passes for it. */
const passedMs = (fromMs: number, toMs: number, frozenUntilMs: number): number =>
  Math.max(0, toMs - Math.max(fromMs, frozenUntilMs));

function levelsAfter(
  { levels, leases }: Pick<FleetBudget, "levels" | "leases">,
  plan: FleetPlan,
  elapsedMs: number,
  at: Moment,
): Levels {
  const next = new Map(Object.entries(levels));
  for (const [name, present] of bucketsOfPlan(plan)) {
    const before = next.get(name) ?? exactly(capacityMicro(present), at);
    const limits = limitsSince(before.under, present);
    next.set(name, refilled(before, elapsedMs, limits, { room: roomOf(limits, outstandingIn(leases, name)), at }));
  }
  return Object.fromEntries(next);
}

function outstandingAtEnd(leases: readonly Lease[], endMs: number): Amounts {
  const ended = leases.filter((lease) => !lives(lease, endMs));
  return ended.reduce((sum, { outstanding }) => plus(sum, outstanding), NOTHING);
}

/** Microtokens in a bucket; 0 where it is not known. */
export const levelIn = ({ levels }: FleetBudget, bucket: string): number =>
  Object.hasOwn(levels, bucket) ? (levels[bucket]?.micro ?? 0) : 0;
