// Decides whether a session gets another plan.
import type { PlanOfPolicy } from "../plan.js";
import { withPlan } from "../session.js";
import type { Session } from "../session.js";
import { unchanged } from "../changes.js";
import type { Decision } from "../changes.js";
import { activeSession } from "../stored.js";
import type { SessionRecord } from "../stored.js";
import { limitOf, surplusOf } from "./create-session.js";

export interface PlanChange {
  readonly plan: PlanOfPolicy;
  readonly atMs: number;
  /** The public name of who asked for it. */
  readonly actor: string;
  readonly isLive: (session: Session) => boolean;
}

export interface PlanChangeState {
  readonly found: SessionRecord | undefined;
  /** The sessions of its user and issuer in the new plan. */
  readonly peers: readonly Session[];
}

export type PlanChangeOutcome =
  | { readonly outcome: "changed" | "unchanged"; readonly session: Session }
  | { readonly outcome: "unknown" | "ended" | "tooManySessions" };

/** Edges ask for the session again. A user's limit forbids it, whatever the plan does at a creation. */
export function decidePlanChange(
  { found, peers }: PlanChangeState,
  { plan, atMs, actor, isLive }: PlanChange,
): Decision<PlanChangeOutcome> {
  if (found === undefined) return unchanged({ outcome: "unknown" });
  const session = activeSession(found);
  if (!isLive(session)) return unchanged({ outcome: "ended" });
  if (session.plan.id === plan.id) return unchanged({ outcome: "unchanged", session });
  const limit = limitOf(plan);
  if (limit !== null && surplusOf(peers.filter(isLive), limit).length > 0) {
    return unchanged({ outcome: "tooManySessions" });
  }
  const changed = withPlan(session, plan);
  const { id, issuer = null } = session;
  const details = { from: session.plan.name, to: plan.name, issuer };
  return {
    answer: { outcome: "changed", session: changed },
    changes: {
      sessions: [{ before: found.session, after: changed }],
      invalidations: [{ kind: "refresh", sessionId: id, atMs }],
      audit: [{ at: atMs, actor, action: "plan-changed", sessionId: id, details }],
    },
  };
}
