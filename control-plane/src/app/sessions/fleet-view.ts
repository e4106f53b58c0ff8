// What is left of a session's fleet budget, and which edges may spend how much of it, as operators see it.
import { MICROTOKENS_PER_TOKEN } from "../../../../assembly/contract.js";
import { leaseMoment } from "../../domain/decisions/lease-tokens.js";
import { knownOf } from "../../domain/decisions/hold-session.js";
import type { HoldState } from "../../domain/decisions/hold-session.js";
import { bucketsOfPlan } from "../../domain/leases/exact-level.js";
import type { Amounts } from "../../domain/leases/fleet-budget.js";
import { levelsNowOfBudget } from "../../domain/leases/shown-budget.js";
import type { LevelsNow } from "../../domain/leases/shown-budget.js";
import { budgetOf } from "../../domain/leases/starting-budget.js";
import { planById } from "../../domain/plan.js";
import type { PlanOfPolicy } from "../../domain/plan.js";
import { tokensPerSecond } from "../../domain/policy/rate.js";
import { leaseTerms } from "../edges/lease-commits.js";
import type { UsagePorts } from "../edges/usage.js";

/** Tokens, with up to 6 decimals. The plan's own bucket has the empty name. */
export interface FleetBucket {
  readonly name: string;
  readonly capacity: number;
  /** What no edge has; below 0 it owes. */
  readonly level: number;
  /** What edges have and may still spend. */
  readonly outstanding: number;
  /** Tokens per second. */
  readonly refillRate: number;
}

export interface LeaseView {
  readonly edge: string;
  readonly instance: string;
  /** Tokens by bucket. */
  readonly outstanding: Readonly<Record<string, number>>;
  /** Until it counts as spent. */
  readonly endsInMs: number;
}

export interface FleetView {
  /** The plan's name. */
  readonly plan: string;
  /** The plan's own, then its further limits in the order of their names. */
  readonly buckets: readonly FleetBucket[];
  readonly leases: readonly LeaseView[];
}

/** Refilled to now. Undefined where the session's plan is not of fleet scope. */
export function fleetView(
  ports: Pick<UsagePorts, "policies" | "clock" | "fleetClock">,
  { found, ...at }: HoldState,
): FleetView | undefined {
  const { session, rows, budget } = knownOf({ found, ...at });
  const policy = ports.policies.current()?.policy;
  const plan = session && policy && planById(policy, session.plan.id);
  if (session === undefined || plan?.scope !== "fleet") return undefined;
  const moment = leaseMoment({ session, rows, plan }, at, leaseTerms(ports));
  const now = levelsNowOfBudget(budgetOf(budget, moment), plan, moment);
  const leases = now.leases.map(({ outstanding, ...lease }) => ({ ...lease, outstanding: inTokens(outstanding) }));
  return { plan: plan.name, buckets: bucketsIn(now, plan), leases };
}

function bucketsIn({ buckets }: LevelsNow, plan: PlanOfPolicy): FleetBucket[] {
  const limits = bucketsOfPlan(plan);
  return buckets.flatMap(({ name, level, outstanding }): FleetBucket[] => {
    const of = limits.get(name);
    if (of === undefined) return [];
    const tokens = { level: level / MICROTOKENS_PER_TOKEN, outstanding: outstanding / MICROTOKENS_PER_TOKEN };
    return [{ name, capacity: of.maxTokens, ...tokens, refillRate: tokensPerSecond(of) }];
  });
}

const inTokens = (amounts: Amounts): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(amounts).map(([name, micro]) => [name, micro / MICROTOKENS_PER_TOKEN]));
