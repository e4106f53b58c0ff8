// The installation that the simulation runs: its plans, its policy on both sides, and a session as it is issued.
import type { PlanOfPolicy, PlansOfPolicy } from "../../control-plane/src/domain/plan.js";
import { createSession, type Session as StoredSession } from "../../control-plane/src/domain/session.js";
import { plan, policy, type PolicyDocument } from "../host/edge.js";
import type { Limits } from "./ledger.js";
import { START_MS } from "./sim-time.js";

/** Short, so that a run of a second has several of each. */
const REPORT_INTERVAL_MS = 100;
const ACQUIRE_TIMEOUT_MS = 60;
/** The least that a policy may say. */
export const MAX_AGE_MS = 4 * REPORT_INTERVAL_MS;
const LIFETIME_MS = 36_000_000;
/** One without refill, where each token can be counted. */
const LIMITS: readonly Limits[] = [
  { maxTokens: 4, refillRate: 0 },
  { maxTokens: 4, refillRate: 0.5 },
];
const DURATIONS = { maxAge: MAX_AGE_MS, lifetime: LIFETIME_MS };

const PLANS: readonly PlanOfPolicy[] = LIMITS.map(({ maxTokens, refillRate }, id) => ({
  ...{ id, name: `plan-${id}`, maxTokens, tokenRefillRate: refillRate, ...DURATIONS },
  ...{ tokenBudget: null, maxSessionsPerUser: null, onMaxSessions: "refuse" },
}));

/** The plan of the n-th session. */
function planOf(index: number): PlanOfPolicy {
  const found = PLANS[index % 3 === 2 ? 1 : 0];
  if (found === undefined) throw new RangeError("there are two plans");
  return found;
}

export function limitsOf(index: number): Limits {
  const { maxTokens, tokenRefillRate } = planOf(index);
  return { maxTokens, refillRate: tokenRefillRate };
}

/** What the store has of the n-th session when it has logged in. */
export function issued(id: string, index: number, nowMs: number): StoredSession {
  return createSession({ id, userId: "u", orgId: "o", metadata: {} }, planOf(index), START_MS + nowMs);
}

export function policyOfPlane(): PlansOfPolicy {
  const controlPlane = { reportInterval: REPORT_INTERVAL_MS };
  return { plans: PLANS, controlPlane, sessions: { cleanupInterval: 1000 } };
}

export function policyOfEdge(generation: number, onUnreachable: string): PolicyDocument {
  const plans = PLANS.map(({ id, name, maxTokens, tokenRefillRate }) =>
    plan({ id, name, maxTokens, tokenRefillRate, ...DURATIONS }),
  );
  const controlPlane = { acquireTimeout: ACQUIRE_TIMEOUT_MS, reportInterval: REPORT_INTERVAL_MS };
  return policy({ plans, generation, controlPlane, onUnreachable });
}

/** The n-th log of the control plane: another for each restored backup. */
export function logName(number: number): string {
  return number.toString(16).padStart(16, "0");
}
