// A session's life as plain maps: what the control plane must show after each command, without its code.
import type { SessionView } from "../../src/app/sessions/sessions.js";
import type { IssuedBy } from "../../src/domain/issued-by.js";
import type { PlanOfPolicy, PlansOfPolicy } from "../../src/domain/plan.js";
import type {
  AnySession,
  ModelFigures,
  ModelSession,
  ModelInvalidation,
  Spent,
  Stored,
} from "./session-life-model-stored.js";

/** Two lives of one edge, and another edge. */
export const INSTANCES = [
  { edge: "gw-1", instance: "aaaaaaaaaaaaaaaa" },
  { edge: "gw-1", instance: "bbbbbbbbbbbbbbbb" },
  { edge: "gw-2", instance: "cccccccccccccccc" },
] as const;
export type ModelInstance = (typeof INSTANCES)[number];

/** Two issuers and an operator. */
export const ISSUERS = ["login", "app", "operator:1f2e3d4c"] as const;
export const PLAN_NAMES = ["open", "metered", "replacing"] as const;
/** One of them is the name of something that every object has. */
export const LIMIT_NAMES = ["constructor", "daily", "search"] as const;
export const DAY_MS = 86_400_000;
const GONE_MS = 300_000;
const SWEEP_ROUND_MS = 10_000;

export class SessionLifeModel {
  stored: Stored = {
    sessions: new Map(),
    creations: new Map(),
    consumptions: new Map(),
    invalidations: [],
    trimmed: 0,
    audited: [],
  };
  log = "";
  backup: { readonly file: string; readonly stored: Stored } | undefined;
  /** Ids of all sessions there ever were. */
  readonly ever: string[] = [];
  /** All that instances ever spent, by session and instance: edges forget nothing when the store is restored. */
  readonly spent = new Map<string, Spent[]>();
  /** The contacts of instances with this process; lost with it. */
  readonly contacts = new Map<string, { atMs: number; reportedAtMs?: number; moreAtMs?: number }>();
  nowMs = 0;
  startedAtMs = 0;
  /** The cursor of an edge that only watches, and in which log. */
  follower = { log: "", since: 0 };

  constructor(public policy: PlansOfPolicy) {}

  /** The store is new. */
  begin({ log }: { readonly log: string }, nowMs: number): void {
    this.log = log;
    this.follower = { log, since: 0 };
    this.nowMs = nowMs;
    this.startedAtMs = nowMs;
  }

  /** A new process: contacts begin anew. */
  restarted(): void {
    this.contacts.clear();
    this.startedAtMs = this.nowMs;
  }

  get cursor(): number {
    return this.stored.invalidations.length;
  }

  /** Mostly a live session, else one of the stored or of all that ever were; an id that never was where there is none. */
  idAt({ among, index }: AnySession): string {
    const stored = [...this.stored.sessions.values()];
    const chosen = among === "live" ? stored.filter((one) => this.stateOf(one) === "live") : stored;
    const ids = among === "ever" || chosen.length === 0 ? this.ever : chosen.map(({ id }) => id);
    return ids[index % Math.max(1, ids.length)] ?? "00000000-0000-7000-8000-000000000000";
  }

  planOf(session: ModelSession): PlanOfPolicy | undefined {
    return this.policy.plans.find(({ id }) => id === session.plan.id);
  }

  endsAt(session: ModelSession): number {
    return session.createdAt + (this.planOf(session) ?? session.plan).lifetime;
  }

  stateOf(session: ModelSession): SessionView["state"] {
    if (session.revokedAt !== null) return "revoked";
    return session.idleEnded || this.nowMs >= this.endsAt(session) ? "expired" : "live";
  }

  consumedOf({ direct, rows }: ModelSession): number {
    return [...rows.values()].reduce((sum, figures) => sum + (figures?.consumed ?? 0), direct);
  }

  viewOf(session: ModelSession): SessionView {
    const { id, userId, orgId, issuer, createdAt, lastActivity, plan, revokedAt } = session;
    const budget = this.planOf(session)?.tokenBudget ?? null;
    const issued = plan.tokenBudget ?? plan.maxTokens;
    const tokens = { issued, consumed: this.consumedOf(session), budget };
    const metadata = { userAgent: null, ip: null, route: null };
    const [state, endsAt] = [this.stateOf(session), this.endsAt(session)];
    const whose = { id, userId, orgId, issuer };
    return { ...whose, plan: plan.name, state, createdAt, endsAt, lastActivity, tokens, metadata, revokedAt };
  }

  /** Undefined also where it is of another issuer than asks. */
  seenBy(issuedBy: IssuedBy | null, id: string): ModelSession | undefined {
    const session = this.stored.sessions.get(id);
    return session !== undefined && isSeenBy(issuedBy, session) ? session : undefined;
  }

  /** The newest first. */
  views(): SessionView[] {
    const all = [...this.stored.sessions.values()].map((session) => this.viewOf(session));
    return all.sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** The user's live sessions of a plan and an issuer, the oldest first. */
  liveOf({ userId, issuer }: Pick<ModelSession, "userId" | "issuer">, planId: number): ModelSession[] {
    return [...this.stored.sessions.values()]
      .filter((one) => one.userId === userId && one.issuer === issuer)
      .filter((one) => one.plan.id === planId && this.stateOf(one) === "live")
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  invalidate(kind: ModelInvalidation["kind"], id: string): void {
    this.stored.invalidations.push({ kind, id, atMs: this.nowMs });
  }

  revoke(session: ModelSession): void {
    if (session.revokedAt !== null) return;
    session.revokedAt = this.nowMs;
    this.invalidate("revoked", session.id);
  }

  /** Each budget is invalidated once, when more was consumed and it is reached. */
  tellBudget(session: ModelSession): void {
    const budget = this.planOf(session)?.tokenBudget ?? null;
    if (budget === null || session.announcedBudget === budget || this.consumedOf(session) < budget) return;
    if (session.revokedAt !== null || session.idleEnded) return;
    session.announcedBudget = budget;
    this.invalidate("refresh", session.id);
  }

  get graceMs(): number {
    return 2 * this.policy.controlPlane.reportInterval + SWEEP_ROUND_MS;
  }

  /** Whether it may end for idleness now: too long without activity, and no holder can have more to report. */
  isIdle(session: ModelSession): boolean {
    const plan = this.planOf(session);
    if (plan === undefined || this.stateOf(session) !== "live") return false;
    const idleMs = Math.min(this.nowMs - session.lastActivity, this.nowMs - this.startedAtMs);
    if (idleMs <= plan.maxAge + this.graceMs) return false;
    return [...session.rows.keys()].every((instance) => !this.isBehind(instance));
  }

  private isBehind(instance: string): boolean {
    const contact = this.contacts.get(instance);
    if (this.nowMs - (contact?.atMs ?? this.startedAtMs) >= GONE_MS) return false;
    if (contact?.reportedAtMs === undefined || this.nowMs - contact.reportedAtMs > this.graceMs) return true;
    return contact.moreAtMs !== undefined && this.nowMs - contact.moreAtMs <= this.graceMs;
  }

  noteContact({ instance }: ModelInstance, report?: { more: boolean }): void {
    const { nowMs } = this;
    const news = report === undefined ? {} : { reportedAtMs: nowMs, ...(report.more ? { moreAtMs: nowMs } : {}) };
    this.contacts.set(instance, { ...this.contacts.get(instance), atMs: nowMs, ...news });
  }

  /** Which of the edge's instances reported the session last, with its figures; of those that have a level of a limit. */
  lastReport(
    session: ModelSession,
    edge: string,
    limit?: string,
  ): { instance: string; figures: ModelFigures } | undefined {
    return INSTANCES.filter((one) => one.edge === edge)
      .flatMap(({ instance }) => {
        const figures = session.rows.get(instance) ?? null;
        return figures === null ? [] : [{ instance, figures }];
      })
      .filter(({ figures }) => limit === undefined || figures.limits.has(limit))
      .sort((a, b) => b.figures.reportedAtMs - a.figures.reportedAtMs)[0];
  }
}

const isSeenBy = (issuedBy: IssuedBy | null, { issuer, orgId }: ModelSession): boolean =>
  issuedBy === null || (issuer === issuedBy.issuer && (issuedBy.orgId ?? orgId) === orgId);
