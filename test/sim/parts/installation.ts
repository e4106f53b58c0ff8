// The installation that the simulation runs: its policies on both sides, and a session as it is issued.
import type { PlanOfPolicy, PlansOfPolicy } from "../../../control-plane/src/domain/plan.js";
import { graceMs } from "../../../control-plane/src/domain/idleness.js";
import { createSession, type Session as StoredSession } from "../../../control-plane/src/domain/session.js";
import type { Limits } from "../invariants/ledger.js";
import { Policies, REPORT_INTERVAL_MS } from "./policies.js";
import { START_MS } from "./sim-time.js";
import type { FaultProfile } from "../faults/fault-profile.js";

const ACQUIRE_TIMEOUT_MS = 60;
const LIFETIME_MS = 36_000_000;

export class Installation {
  readonly policies: Policies;

  constructor(faultProfile: FaultProfile) {
    const { maxTokens, limitTokens, firstLimits, onUnreachable } = faultProfile;
    const controlPlane = { acquireTimeout: ACQUIRE_TIMEOUT_MS, reportInterval: REPORT_INTERVAL_MS };
    this.policies = new Policies({
      ...{ change: faultProfile.publish > 0, maxTokens, limitTokens, firstLimits },
      ...{ plan: { maxAge: faultProfile.maxAgeMs, lifetime: LIFETIME_MS }, rest: { controlPlane, onUnreachable } },
    });
  }

  /** How late the edges' reports may be, ms. */
  get graceMs(): number {
    return graceMs(this.#firstPolicy);
  }

  /** Of the n-th session, whichever policy is in force. */
  limitsOf(index: number): Limits {
    return this.policies.limitsOf(planIdOf(index));
  }

  leastTokensOf(index: number): number {
    return this.policies.leastTokens(planIdOf(index));
  }

  /** What the store has of the n-th session when it has logged in. */
  issued(id: string, index: number, nowMs: number): StoredSession {
    return createSession({ id, userId: "u", orgId: "o", metadata: {} }, this.#planOf(index), START_MS + nowMs);
  }

  get #firstPolicy(): PlansOfPolicy {
    return this.policies.readPolicyDocument(this.policies.first).policy;
  }

  #planOf(index: number): PlanOfPolicy {
    const found = this.#firstPolicy.plans[planIdOf(index)];
    if (found === undefined) throw new RangeError("there are two plans");
    return found;
  }
}

function planIdOf(index: number): number {
  return index % 3 === 2 ? 1 : 0;
}

/** The n-th log of the control plane: another for each restored backup. */
export function logName(number: number): string {
  return number.toString(16).padStart(16, "0");
}
