// What operators are told of a fleet budget.
import { isNothing, lives, outstandingIn } from "./amounts.js";
import { budgetAt, levelIn } from "./budget-now.js";
import { bucketsOfPlan } from "./exact-level.js";
import type { Moment } from "./clock-lead.js";
import type { Amounts, FleetBudget } from "./fleet-budget.js";
import type { FleetPlan } from "./lease-ask.js";
import type { Instance } from "../instance.js";

/** Microtokens. */
export interface BucketNow {
  readonly name: string;
  readonly level: number;
  readonly outstanding: number;
}

export interface LeaseNow extends Instance {
  readonly outstanding: Amounts;
  readonly endsInMs: number;
}

export interface LevelsNow {
  /** The plan's own first, further ones as the plan has them. */
  readonly buckets: readonly BucketNow[];
  /** Those that live and hold something. */
  readonly leases: readonly LeaseNow[];
}

/** The budget refilled to a moment. */
export function levelsNowOfBudget(stored: FleetBudget, plan: FleetPlan, moment: Moment): LevelsNow {
  const { budget } = budgetAt(stored, plan, moment);
  return {
    buckets: [...bucketsOfPlan(plan).keys()].map((name) => ({
      ...{ name, level: levelIn(budget, name), outstanding: outstandingIn(budget.leases, name) },
    })),
    leases: budget.leases
      .filter((lease) => lives(lease, budget.atMs) && !isNothing(lease.outstanding))
      .map(({ edge, instance, outstanding, untilMs }) => ({
        ...{ edge, instance, outstanding, endsInMs: untilMs - budget.atMs },
      })),
  };
}
