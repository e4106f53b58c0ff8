// A session: its record, the states it passes through, and when it ends. Pure: time and policy are passed in.
import type { PlanAtCreation, PlanOfPolicy } from "./plan.js";

export interface SessionMetadata {
  readonly userAgent: string | null;
  readonly ip: string | null;
  readonly route: string | null;
}

/** What is stored. Times are ms since the epoch, tokens are whole tokens. */
export interface Session {
  /** UUIDv7 whose time is createdAt. Public. */
  readonly id: string;
  readonly userId: string;
  readonly orgId: string;
  readonly plan: PlanAtCreation;
  readonly createdAt: number;
  readonly lastActivity: number;
  readonly tokens: { readonly issued: number; readonly consumed: number };
  readonly metadata: SessionMetadata;
  /** When it was revoked, null if it was not. */
  readonly revokedAt: number | null;
}

export type SessionState = "live" | "revoked" | "expired";

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  readonly orgId: string;
  readonly metadata: Partial<SessionMetadata>;
}

/** A live session that has spent nothing. Issued: the plan's budget, else what its bucket holds. */
export function createSession(fresh: NewSession, plan: PlanOfPolicy, nowMs: number): Session {
  return {
    id: fresh.id,
    userId: fresh.userId,
    orgId: fresh.orgId,
    plan: { id: plan.id, name: plan.name, maxTokens: plan.maxTokens, lifetimeMs: plan.lifetime },
    createdAt: nowMs,
    lastActivity: nowMs,
    tokens: { issued: plan.tokenBudget ?? plan.maxTokens, consumed: 0 },
    metadata: {
      userAgent: fresh.metadata.userAgent ?? null,
      ip: fresh.metadata.ip ?? null,
      route: fresh.metadata.route ?? null,
    },
    revokedAt: null,
  };
}

/**
 * The session's absolute end, ms since the epoch: by its plan's present lifetime, or the one at creation where the
 * policy no longer has the plan.
 */
export function sessionEndsAtMs(session: Session, plan: PlanOfPolicy | undefined): number {
  return session.createdAt + (plan?.lifetime ?? session.plan.lifetimeMs);
}

/** Revoked wins over expired: a longer lifetime may bring an expired session back, never a revoked one. */
export function sessionState(session: Session, endsAtMs: number, nowMs: number): SessionState {
  if (session.revokedAt !== null) return "revoked";
  return nowMs < endsAtMs ? "live" : "expired";
}

/** The session, active at `atMs`. A clock that went back does not make it look idle. */
export function withActivity(session: Session, atMs: number): Session {
  return { ...session, lastActivity: Math.max(session.lastActivity, atMs) };
}
