// Plans that a policy lacks and that live sessions have (docs/decisions/0008-a-plan-with-sessions-stays.md).
import { planById } from "../../domain/plan.js";
import type { PlanOfPolicy, PlansOfPolicy } from "../../domain/plan.js";
import type { PolicyViolation } from "../ports/policy-ports.js";
import type { Clock, SessionStore } from "../ports/ports.js";
import { ofStore } from "./policy-steps.js";

export interface PlansInUsePorts {
  readonly sessions: Pick<SessionStore, "countLive">;
  readonly clock: Clock;
}

/** A violation for each plan of the policy before that the next one lacks and that live sessions have. */
export async function plansInUse(
  ports: PlansInUsePorts,
  before: PlansOfPolicy,
  next: PlansOfPolicy,
): Promise<PolicyViolation[]> {
  const removed = before.plans.filter(({ id }) => planById(next, id) === undefined);
  const violations = await Promise.all(removed.map((plan) => planInUse(ports, plan)));
  return violations.filter((violation) => violation !== null);
}

async function planInUse(
  { clock, sessions }: PlansInUsePorts,
  { id, name, lifetime }: PlanOfPolicy,
): Promise<PolicyViolation | null> {
  const live = await ofStore(sessions.countLive(id, clock.nowMs() - lifetime));
  if (live === 0) return null;
  const having = live === 1 ? "1 live session has" : `${live} live sessions have`;
  const message = `plan "${name}" (id ${id}) cannot go while ${having} it; keep it, or end those and save again`;
  return { path: "plans", line: null, column: null, message };
}
