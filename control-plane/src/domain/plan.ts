// A plan as the control plane sees it: what the policy says of it now, and what a session remembers of it.
import type { Plan, Policy } from "./policy/policy.js";

/** What sessions are made and ended by: all of a plan but what edges alone go by. */
export type PlanOfPolicy = Omit<Plan, "enforcement" | "onUnreachable">;

/** When a user has as many sessions as the plan allows: one more is an error, or ends the oldest. */
export type OnMaxSessions = Plan["onMaxSessions"];

/** As much of a policy as sessions need. The first plan is the default. */
export interface PlansOfPolicy {
  readonly plans: readonly PlanOfPolicy[];
  readonly controlPlane: Pick<Policy["controlPlane"], "reportInterval">;
  readonly sessions: Pick<Policy["sessions"], "cleanupInterval">;
}

/**
 * A plan as it stood when the session was made. The present policy wins over it; it answers only where an operator
 * forced the plan out of the policy while sessions still have it.
 */
export interface PlanAtCreation extends Pick<Plan, "id" | "name" | "maxTokens"> {
  readonly lifetimeMs: Plan["lifetime"];
}

/** The plan with this name, or the default plan where no name is given. */
export function planByName(policy: PlansOfPolicy, name: string | undefined): PlanOfPolicy | undefined {
  return name === undefined ? policy.plans[0] : policy.plans.find((plan) => plan.name === name);
}

export function planById(policy: PlansOfPolicy, id: number): PlanOfPolicy | undefined {
  return policy.plans.find((plan) => plan.id === id);
}
