// Whether a session is idle for too long, by what edges have reported and by which may still have something to report.
import { graceMs, idleLimitMs } from "../../domain/idleness.js";
import { planById } from "../../domain/plan.js";
import type { Session } from "../../domain/session.js";
import type { EdgeRegistry } from "../edges/status/edge-registry.js";
import type { CurrentPolicy } from "../ports/ports.js";
import type { Instance } from "../ports/usage-ports.js";

/**
 * The decision at a time. While an instance that holds the session is behind, it is not idle. No longer than this
 * process has been listening can it know a session to be idle: edges went on while it was down. A session whose plan
 * the policy lost has no idle limit.
 */
export function idleAt(
  { policies, instances }: { readonly policies: CurrentPolicy; readonly instances: EdgeRegistry },
  nowMs: number,
): (session: Session, holders: readonly Instance[]) => boolean {
  const policy = policies.current()?.policy;
  const listeningMs = instances.listeningMs();
  return (session, holders) => {
    const plan = policy && planById(policy, session.plan.id);
    if (policy === undefined || plan === undefined) return false;
    const idleMs = Math.min(nowMs - session.lastActivity, listeningMs);
    if (idleMs <= idleLimitMs(policy, plan)) return false;
    const grace = graceMs(policy);
    return holders.every((holder) => instances.standing(holder, grace) !== "behind");
  };
}
