// Which live sessions end because one policy takes another's place: by a shorter lifetime, or by a shorter idle limit.
import { idleLimitMs, isPastIdleLimit } from "./idleness.js";
import type { IdleMoment } from "./idleness.js";
import { planById } from "./plan.js";
import type { PlanOfPolicy, PlansOfPolicy } from "./plan.js";
import { hasEndedForGood, sessionEndsAtMs } from "./session.js";
import type { Session } from "./session.js";

export interface PolicyChange {
  /** Undefined: not known. Each session has the lifetime of its creation then, and none ends for being idle. */
  readonly before: PlansOfPolicy | undefined;
  readonly after: PlansOfPolicy;
}

/** When it is asked. `listeningMs` holds for the policy before: under it nothing is idle for longer. */
export interface ChangeMoment extends Omit<IdleMoment, "policy"> {
  readonly nowMs: number;
}

/** The only plans whose sessions the change can end: of one that both policies have, a number became less. */
export function plansThatEndSooner({ before, after }: PolicyChange): readonly PlanOfPolicy[] {
  return after.plans.filter((plan) => {
    const former = before && planById(before, plan.id);
    if (before === undefined || former === undefined) return true;
    return plan.lifetime < former.lifetime || idleLimitMs(after, plan) < idleLimitMs(before, former);
  });
}

/**
 * Whether the session goes on under the policy before and not under the one after. What reports that are under way may say
 * of its activity is left out: rather one session too many is named than one that ends unnamed.
 */
export function isEndedByChange(session: Session, { before, after }: PolicyChange, moment: ChangeMoment): boolean {
  if (hasEndedForGood(session) || isOver(session, before, { ...moment, policy: before })) return false;
  return isOver(session, after, { ...moment, policy: before && after, listeningMs: Infinity });
}

function isOver(session: Session, policy: PlansOfPolicy | undefined, moment: ChangeMoment & IdleMoment): boolean {
  const plan = policy && planById(policy, session.plan.id);
  return sessionEndsAtMs(session, plan, moment.nowMs) <= moment.nowMs || isPastIdleLimit(session, moment);
}
