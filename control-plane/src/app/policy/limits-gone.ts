// Which limits a plan had and has no more: that ends no session, so it is said and asks for no confirmation.
import { planById } from "../../domain/plan.js";
import type { PlansOfPolicy } from "../../domain/plan.js";
import type { Logger } from "../ports/ports.js";

/** The limits that went from plans that stay, each as `plan/limit`, by the plan's new name. */
export function limitsGone(before: PlansOfPolicy, after: PlansOfPolicy): readonly string[] {
  return before.plans.flatMap((plan) => {
    const now = planById(after, plan.id);
    if (now === undefined) return [];
    const names = new Set(now.limits.map(({ name }) => name));
    return plan.limits.filter(({ name }) => !names.has(name)).map(({ name }) => `${now.name}/${name}`);
  });
}

/** Says in the log which went. A limit that was renamed is one of them: under its new name it is full. */
export function sayLimitsGone(logger: Logger, limits: readonly string[], generation: number): void {
  if (limits.length === 0) return;
  const kept = "what sessions have left of them is kept, and counts again under the same names";
  logger.info({ event: "limits-gone", limits, generation }, `plans have some limits no more: ${kept}`);
}
