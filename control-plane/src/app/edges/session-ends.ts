// Until when a session lives, by the policy in force: at a time, and for edges.
import { planById } from "../../domain/plan.js";
import type { PlanOfPolicy } from "../../domain/plan.js";
import { sessionEndsAtMs, sessionState } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import type { CurrentPolicy, SteadyClock } from "../ports/ports.js";

/** Whether a session is live at a time, by the policy in force now. */
export function liveAt(policies: CurrentPolicy, nowMs: number): (session: Session) => boolean {
  const policy = policies.current()?.policy;
  return (session) => {
    const plan = policy && planById(policy, session.plan.id);
    return sessionState(session, sessionEndsAtMs(session, plan, nowMs), nowMs) === "live";
  };
}

/** When the session ends for edges, ms since the epoch: what they have in use ends by no clock that has only begun. */
export function endForEdgesMs(session: Session, plan: PlanOfPolicy | undefined, clock: SteadyClock): number {
  const endsAtMs = sessionEndsAtMs(session, plan, clock.nowMs());
  return Math.max(endsAtMs, Math.floor(clock.endsNotBeforeMs(session.createdAt)));
}

/** Whether edges may go on with a session. */
export function liveForEdges(policies: CurrentPolicy, clock: SteadyClock): (session: Session) => boolean {
  const policy = policies.current()?.policy;
  return (session) => {
    const plan = policy && planById(policy, session.plan.id);
    return sessionState(session, endForEdgesMs(session, plan, clock), clock.nowMs()) === "live";
  };
}
