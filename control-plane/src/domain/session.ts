// A session: its record, the states it passes through, and when it ends. Pure: time and policy are passed in.
import type { PlanAtCreation, PlanOfPolicy } from "./plan.js";
import { idTimeMs } from "./session-id.js";

export interface SessionMetadata {
  readonly userAgent: string | null;
  readonly ip: string | null;
  readonly route: string | null;
}

/** What is stored. Times are ms since the epoch, tokens are whole tokens. */
export interface Session {
  /** UUIDv7 whose time is createdAt, or a little later where the clock went back. Public. */
  readonly id: string;
  readonly userId: string;
  readonly orgId: string;
  /** Who issued it: an issuer's name, or an operator's as in the audit log. Absent: from before this was kept. */
  readonly issuer?: string;
  readonly plan: PlanAtCreation;
  readonly createdAt: number;
  readonly lastActivity: number;
  readonly tokens: { readonly issued: number; readonly consumed: number };
  readonly metadata: SessionMetadata;
  /** When it was revoked, null if it was not. */
  readonly revokedAt: number | null;
  /** When it was ended because it was idle for too long. Like a revocation that is final. */
  readonly idleEndedAt?: number;
  /** When it was met by a clock that its createdAt lies far ahead of. */
  readonly aheadSince?: number;
  /** Its place among its user's sessions, where that does not follow from its id: the clock was far ahead. */
  readonly order?: number;
  /** The token budget whose end edges were invalidated for: once for each budget. */
  readonly announcedBudget?: number;
}

/** Enough for any id of a login service; in UTF-8 four times that is still a fair key of the store. */
export const MAX_ID_CHARS = 128;

export type SessionState = "live" | "revoked" | "expired";

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  readonly orgId: string;
  readonly issuer?: string;
  readonly metadata: Partial<SessionMetadata>;
}

/** A live session that has spent nothing. Issued: the plan's budget, else what its bucket holds. */
export function createSession(fresh: NewSession, plan: PlanOfPolicy, nowMs: number): Session {
  return {
    id: fresh.id,
    userId: fresh.userId,
    orgId: fresh.orgId,
    ...(fresh.issuer === undefined ? {} : { issuer: fresh.issuer }),
    plan: remembered(plan),
    createdAt: nowMs,
    lastActivity: nowMs,
    tokens: { issued: issuedUnder(plan), consumed: 0 },
    metadata: {
      userAgent: fresh.metadata.userAgent ?? null,
      ip: fresh.metadata.ip ?? null,
      route: fresh.metadata.route ?? null,
    },
    revokedAt: null,
  };
}

const remembered = (plan: PlanOfPolicy): PlanAtCreation => ({
  id: plan.id,
  name: plan.name,
  maxTokens: plan.maxTokens,
  lifetimeMs: plan.lifetime,
});

const issuedUnder = (plan: PlanOfPolicy): number => plan.tokenBudget ?? plan.maxTokens;

/** The session under another plan, which issues it tokens anew. What it consumed stays and counts against them. */
export function withPlan(session: Session, plan: PlanOfPolicy): Session {
  const tokens = { ...session.tokens, issued: issuedUnder(plan) };
  return { ...session, plan: remembered(plan), tokens };
}

/** The oldest first, whatever the clock did between their creations. */
export function inOrderOfCreation(sessions: readonly Session[]): Session[] {
  return [...sessions].sort((one, other) => orderOf(one) - orderOf(other) || (one.id < other.id ? -1 : 1));
}

/** The session as the newest beside others. */
export function asNewest(session: Session, others: readonly Session[]): Session {
  const newest = Math.max(...others.map(orderOf));
  return newest <= orderOf(session) ? session : { ...session, order: newest + 1 };
}

/** Of one millisecond the ids themselves are in the order of creation. */
const orderOf = ({ order, id }: Session): number => order ?? idTimeMs(id);

/** The session without what was known of its client's person: address and user agent. */
export function withoutClientDetails(session: Session): Session {
  return { ...session, metadata: { ...session.metadata, ip: null, userAgent: null } };
}

/**
 * The session's absolute end, ms since the epoch: by its plan's present lifetime, or the one at creation where the
 * policy no longer has the plan.
 */
export function sessionEndsAtMs(session: Session, plan: PlanOfPolicy | undefined, nowMs: number): number {
  return createdAtMs(session, nowMs) + (plan?.lifetime ?? session.plan.lifetimeMs);
}

/** From when on its time counts: for as long as createdAt lies ahead of the clock, from when that was noticed. */
export function createdAtMs({ createdAt, aheadSince }: Session, nowMs: number): number {
  return createdAt > nowMs && aheadSince !== undefined ? aheadSince : createdAt;
}

/**
 * Revoked wins over expired: a longer lifetime may bring a session that is past it back, never one that was revoked,
 * and never one that has ended for idleness.
 */
export function sessionState(session: Session, endsAtMs: number, nowMs: number): SessionState {
  if (session.revokedAt !== null) return "revoked";
  if (session.idleEndedAt !== undefined) return "expired";
  return nowMs < endsAtMs ? "live" : "expired";
}

/** The session, active at `atMs`. A clock that went back does not make it look idle. */
export function withActivity(session: Session, atMs: number): Session {
  return { ...session, lastActivity: Math.max(session.lastActivity, atMs) };
}

/** Ended for good, whatever becomes of its plan's lifetime. */
export function hasEndedForGood(session: Session): boolean {
  return session.revokedAt !== null || session.idleEndedAt !== undefined;
}

/** The session, having consumed so many tokens more. Stays within what JSON carries exactly. */
export function withConsumed(session: Session, more: number): Session {
  const consumed = Math.max(0, Math.min(session.tokens.consumed + more, Number.MAX_SAFE_INTEGER));
  return { ...session, tokens: { ...session.tokens, consumed } };
}

/** Whether edges still need an invalidation because the session has spent this budget. */
export function hasBudgetToTell(session: Session, budget: number | undefined): budget is number {
  if (budget === undefined || session.tokens.consumed < budget) return false;
  return session.announcedBudget !== budget && !hasEndedForGood(session);
}
