// Which limits a plan had and has no more: that ends no session, so it is said and asks for no confirmation.
import { planById } from "../../domain/plan.js";
import type { PlansOfPolicy } from "../../domain/plan.js";
import type { Logger } from "../ports/ports.js";

/** Of plans that stay, as `plan/limit`, by the names that they have from now on. */
export function limitsGone(before: PlansOfPolicy, after: PlansOfPolicy): readonly string[] {
  return before.plans.flatMap((plan) => {
    const now = planById(after, plan.id);
    if (now === undefined) return [];
    const names = new Set(now.limits.map(({ name }) => name));
    return plan.limits.filter(({ name }) => !names.has(name)).map(({ name }) => `${now.name}/${name}`);
  });
}

/** One that was renamed is one that went, and another that is full. */
export function sayLimitsGone(logger: Logger, limits: readonly string[], generation: number): void {
  if (limits.length === 0) return;
  const kept = "what sessions have left of them is kept, and counts again under the same names";
  logger.info({ event: "limits-gone", limits, generation }, `plans have some limits no more: ${kept}`);
}
