// A plan as the control plane sees it: what the policy says of it now, and what a session remembers of it.

/** The fields of a policy's plan that sessions are made and ended by. Durations in ms. */
export interface PlanOfPolicy {
  readonly id: number;
  readonly name: string;
  /** Bucket capacity, whole tokens. */
  readonly maxTokens: number;
  /** Tokens per second, at most 6 decimals. */
  readonly tokenRefillRate: number;
  /** Idle time after which a session ends. */
  readonly maxAge: number;
  /** Age at which a session ends, whatever it does. */
  readonly lifetime: number;
  /** Tokens a session may consume in all; null: no bound. */
  readonly tokenBudget: number | null;
  /** Live sessions that one user may have in it at a time; null: no bound. */
  readonly maxSessionsPerUser: number | null;
  readonly onMaxSessions: OnMaxSessions;
}

/** When a user has that many: refuse one more, or end the oldest. */
export type OnMaxSessions = "refuse" | "removeOldest";

/** As much of a policy as sessions need. The first plan is the default. */
export interface PlansOfPolicy {
  readonly plans: readonly PlanOfPolicy[];
  /** `reportInterval`: how often edges report, ms. */
  readonly controlPlane: { readonly reportInterval: number };
  /** `cleanupInterval`: how often sessions that have ended are looked for, ms. */
  readonly sessions: { readonly cleanupInterval: number };
}

/**
 * A plan as it stood when the session was made. The present policy wins over it; it answers only where an operator
 * forced the plan out of the policy while sessions still have it.
 */
export interface PlanAtCreation {
  readonly id: number;
  readonly name: string;
  readonly maxTokens: number;
  readonly lifetimeMs: number;
}

/** The plan with this name, or the default plan where no name is given. */
export function planByName(policy: PlansOfPolicy, name: string | undefined): PlanOfPolicy | undefined {
  return name === undefined ? policy.plans[0] : policy.plans.find((plan) => plan.name === name);
}

export function planById(policy: PlansOfPolicy, id: number): PlanOfPolicy | undefined {
  return policy.plans.find((plan) => plan.id === id);
}
