// What the session use cases share: their ports, and a session as the API shows it.
import { planById } from "../../domain/plan.js";
import { sessionEndsAtMs, sessionState } from "../../domain/session.js";
import type { Session, SessionState } from "../../domain/session.js";
import type { AuditStore } from "../ports/audit-ports.js";
import type { OperatorStore } from "../ports/operator-ports.js";
import type { CurrentPolicy, Logger, Meter, Random, SessionStore, SteadyClock } from "../ports/ports.js";

export interface SessionPorts {
  readonly store: SessionStore;
  readonly operator: OperatorStore;
  readonly audit: AuditStore;
  readonly policies: CurrentPolicy;
  readonly clock: SteadyClock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Makes the session token that clients send. Its result is a secret. */
  readonly makeToken: (sessionId: string, planId: number) => string;
}

/** Times are ms since the epoch, tokens whole tokens. */
export interface SessionView extends Pick<
  Session,
  "id" | "userId" | "orgId" | "createdAt" | "lastActivity" | "metadata" | "revokedAt"
> {
  /** Budget: what the plan lets a session consume in all; null: no bound. */
  readonly tokens: Session["tokens"] & { readonly budget: number | null };
  /** Null: an earlier version issued it. */
  readonly issuer: string | null;
  /** The plan's present name. */
  readonly plan: string;
  readonly state: SessionState;
  readonly endsAt: number;
}

/** The session as it is now: state and end follow from the plan's present lifetime. */
export function viewOf(session: Session, policies: CurrentPolicy, nowMs: number): SessionView {
  const policy = policies.current()?.policy;
  const plan = policy && planById(policy, session.plan.id);
  const endsAt = sessionEndsAtMs(session, plan, nowMs);
  const { id, userId, orgId, issuer = null, createdAt, lastActivity, metadata, revokedAt } = session;
  const tokens = { ...session.tokens, budget: plan?.tokenBudget ?? null };
  const state = sessionState(session, endsAt, nowMs);
  const name = plan?.name ?? session.plan.name;
  const whose = { id, userId, orgId, issuer };
  return { ...whose, plan: name, state, createdAt, endsAt, lastActivity, tokens, metadata, revokedAt };
}

/** From when on keys of repeated calls are known, ms since the epoch: all of them while the clock may be wrong. */
export function keysKnownSinceMs(clock: SteadyClock, keptMs: number): number {
  return clock.isSettled() ? clock.nowMs() - keptMs : 0;
}
