// What becomes of a document: accepted, and stored as the next generation, or not, and why.
import type { AcceptedPolicy, PolicyReading, PolicyViolation } from "../ports/policy-ports.js";
import { NONE_ENDED } from "./ended-sessions.js";
import type { EndedSessions } from "./ended-sessions.js";
import { limitsGone, sayLimitsGone } from "./limits-gone.js";
import { plansInUse } from "./plans-in-use.js";
import type { PolicyInForce } from "./policy-in-force.js";
import type { PolicyJudgement } from "./policy-judgement.js";
import { saved } from "./policy-steps.js";
import type { Confirmed, PolicyServiceParts } from "./policy-steps.js";
import type { SourceStanding } from "./source-standing.js";

export type PolicyOutcome =
  /** `generation`: the one that it is. */
  | { readonly kind: "accepted" | "unchanged"; readonly generation: number }
  | { readonly kind: "behind"; readonly accepted: AcceptedPolicy; readonly generation: number }
  | { readonly kind: "held"; readonly accepted: AcceptedPolicy; readonly ended: EndedSessions }
  | { readonly kind: "rejected"; readonly violations: readonly PolicyViolation[] };

/** Races that are lost in a row before a document is left to the next look at it. */
const MAX_RACES = 5;

export interface PolicyDecisionParts {
  readonly policy: PolicyServiceParts;
  readonly inForce: PolicyInForce;
  readonly judgement: PolicyJudgement;
  readonly standing: SourceStanding;
}

export class PolicyDecisions {
  constructor(private readonly parts: PolicyDecisionParts) {}

  /** @param confirmed it may end sessions, and take the place of a newer one. @throws StoreFailure, CountCutShort */
  async decide(reading: PolicyReading, confirmed?: Confirmed, races = 0): Promise<PolicyOutcome> {
    if ("violations" in reading) return { kind: "rejected", violations: reading.violations };
    const { policy: parts, inForce, judgement, standing } = this.parts;
    const { generation, policyJson, policy } = inForce.now();
    if (reading.policyJson === policyJson) return { kind: "unchanged", generation };
    if (parts.shared !== undefined && confirmed === undefined) {
      const replaced = await standing.generationOf(reading.policyJson, generation);
      if (replaced !== undefined) return { kind: "behind", accepted: reading, generation: replaced };
    }
    const violations = await plansInUse(parts, policy, reading.policy);
    if (violations.length > 0) return { kind: "rejected", violations };
    const ended = confirmed === undefined ? await judgement.judge(reading) : NONE_ENDED;
    if (ended.sessions > 0) return { kind: "held", accepted: reading, ended };
    const numbers = { before: generation, generation: inForce.nextNumber() };
    const next = await saved(parts, reading, numbers, confirmed);
    if (next === undefined) return this.lostRace(reading, confirmed, races);
    standing.settled("taken", reading, next.generation);
    inForce.put(next);
    sayLimitsGone(parts.logger, limitsGone(policy, next.policy), next.generation);
    return { kind: "accepted", generation: next.generation };
  }

  /** Another process has decided meanwhile: its policy is the one before this document now. */
  private async lostRace(
    reading: PolicyReading,
    confirmed: Confirmed | undefined,
    races: number,
  ): Promise<PolicyOutcome> {
    if (races >= MAX_RACES) throw new Error(`another process saved a policy first, ${races} times`);
    await this.parts.inForce.takeStored();
    return this.decide(reading, confirmed, races + 1);
  }
}
