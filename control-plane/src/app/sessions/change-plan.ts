// Use case: give a session another plan.
import { decidePlanChange } from "../../domain/decisions/change-plan.js";
import { planByName } from "../../domain/plan.js";
import { logAudited } from "../access/audit.js";
import { liveAt } from "../edges/session-ends.js";
import { viewOf } from "./sessions.js";
import type { SessionPorts, SessionView } from "./sessions.js";

export type PlanChanged =
  | { readonly outcome: "changed"; readonly session: SessionView }
  | { readonly outcome: "unknown" | "ended" | "noPolicy" | "unknownPlan" | "tooManySessions" };

/**
 * The session is durably under the plan of that name, and its next request at an edge has that edge ask for it again:
 * it then takes the plan, and keeps its level as far as the new bucket holds it. Where it has the plan already nothing
 * is written. A user's limit forbids the change, whatever the plan does with one session more at creation.
 */
export async function changePlan(
  ports: SessionPorts,
  id: string,
  planName: string,
  actor: string,
): Promise<PlanChanged> {
  const policy = ports.policies.current()?.policy;
  if (policy === undefined) return { outcome: "noPolicy" };
  const plan = planByName(policy, planName);
  if (plan === undefined) return { outcome: "unknownPlan" };

  const atMs = ports.clock.nowMs();
  const change = { plan, atMs, actor, isLive: liveAt(ports.policies, atMs) };
  const { answer, changes } = await ports.store.update("planChange", { sessionId: id, planId: plan.id }, (state) =>
    decidePlanChange(state, change),
  );
  logAudited(ports.logger, changes);
  if (!("session" in answer)) return { outcome: answer.outcome };
  return { outcome: "changed", session: viewOf(answer.session, ports.policies, atMs) };
}
