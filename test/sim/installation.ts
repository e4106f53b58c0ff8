// The installation that the simulation runs: its plans, its policy on both sides, and a session as it is issued.
import type { PlanOfPolicy, PlansOfPolicy } from "../../control-plane/src/domain/plan.js";
import { graceMs } from "../../control-plane/src/domain/idleness.js";
import { createSession, type Session as StoredSession } from "../../control-plane/src/domain/session.js";
import { plan, policy, type PolicyDocument } from "../host/edge.js";
import type { Limits } from "./ledger.js";
import { START_MS } from "./sim-time.js";
import type { Weather } from "./weather.js";

/** Short, so that a run of a second has several of each. */
export const REPORT_INTERVAL_MS = 100;
const ACQUIRE_TIMEOUT_MS = 60;
const LIFETIME_MS = 36_000_000;
/** Tokens per second, of each plan. One without refill, where each token can be counted. */
const REFILL_RATES = [0, 0.5];

export class Installation {
  readonly #durations: { readonly maxAge: number; readonly lifetime: number };
  readonly #plans: readonly PlanOfPolicy[];

  constructor(private readonly weather: Weather) {
    this.#durations = { maxAge: weather.maxAgeMs, lifetime: LIFETIME_MS };
    this.#plans = REFILL_RATES.map((tokenRefillRate, id) => ({
      ...{ id, name: `plan-${id}`, maxTokens: weather.maxTokens, tokenRefillRate, ...this.#durations },
      ...{ tokenBudget: null, maxSessionsPerUser: null, onMaxSessions: "refuse" },
    }));
  }

  /** How late edges may be with what they tell, ms. */
  get graceMs(): number {
    return graceMs(this.policyOfPlane());
  }

  /** Of the n-th session. */
  limitsOf(index: number): Limits {
    const { maxTokens, tokenRefillRate } = this.#planOf(index);
    return { maxTokens, refillRate: tokenRefillRate };
  }

  /** What the store has of the n-th session when it has logged in. */
  issued(id: string, index: number, nowMs: number): StoredSession {
    return createSession({ id, userId: "u", orgId: "o", metadata: {} }, this.#planOf(index), START_MS + nowMs);
  }

  policyOfPlane(): PlansOfPolicy {
    const controlPlane = { reportInterval: REPORT_INTERVAL_MS };
    return { plans: this.#plans, controlPlane, sessions: { cleanupInterval: 1000 } };
  }

  policyOfEdge(generation: number): PolicyDocument {
    const plans = this.#plans.map(({ id, name, maxTokens, tokenRefillRate }) =>
      plan({ id, name, maxTokens, tokenRefillRate, ...this.#durations }),
    );
    const controlPlane = { acquireTimeout: ACQUIRE_TIMEOUT_MS, reportInterval: REPORT_INTERVAL_MS };
    return policy({ plans, generation, controlPlane, onUnreachable: this.weather.onUnreachable });
  }

  #planOf(index: number): PlanOfPolicy {
    const found = this.#plans[index % 3 === 2 ? 1 : 0];
    if (found === undefined) throw new RangeError("there are two plans");
    return found;
  }
}

/** The n-th log of the control plane: another for each restored backup. */
export function logName(number: number): string {
  return number.toString(16).padStart(16, "0");
}
