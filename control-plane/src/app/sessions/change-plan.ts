// Use case: give a session another plan.
import { planByName } from "../../domain/plan.js";
import { logAudit } from "../access/audit.js";
import type { AuditEvent } from "../ports/audit-ports.js";
import { viewOf } from "./sessions.js";
import type { SessionPorts, SessionView } from "./sessions.js";

export type Moved =
  | { readonly outcome: "moved"; readonly session: SessionView }
  | { readonly outcome: "unknown" | "ended" | "noPolicy" | "unknownPlan" | "tooManySessions" };

/**
 * The session is durably under the plan of that name, and its next request at an edge has that edge ask for it again:
 * it then takes the plan, and keeps its level as far as the new bucket holds it. Where it has the plan already nothing
 * is written. A user's limit forbids the change, whatever the plan does with one session more at creation.
 */
export async function changePlan(ports: SessionPorts, id: string, planName: string, actor: string): Promise<Moved> {
  const policy = ports.policies.current()?.policy;
  if (policy === undefined) return { outcome: "noPolicy" };
  const plan = planByName(policy, planName);
  if (plan === undefined) return { outcome: "unknownPlan" };

  const atMs = ports.clock.nowMs();
  let event: AuditEvent | undefined;
  const move = await ports.operator.move(id, {
    plan,
    atMs,
    isLive: (session) => viewOf(session, ports.policies, atMs).state === "live",
    audited: (before) => {
      const details = { from: before.plan.name, to: plan.name };
      event = { at: atMs, actor, action: "plan-changed", sessionId: id, details };
      return event;
    },
  });
  if (event !== undefined) logAudit(ports.logger, event);
  if (!("session" in move)) return { outcome: move.outcome };
  return { outcome: "moved", session: viewOf(move.session, ports.policies, atMs) };
}
