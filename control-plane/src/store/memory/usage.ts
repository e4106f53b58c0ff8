// The store's part for usage over plain maps, for tests of what uses it. It passes the same contract as LMDB's.
import type {
  ActivityCursor,
  Budgets,
  Consumption,
  ConsumeOutcome,
  ExpiryStep,
  Figures,
  Held,
  IdleStep,
  Instance,
  ReportedRow,
  ReportedSession,
  Swept,
  UsageRow,
  UsageStore,
} from "../../app/ports/usage-ports.js";
import type { LogPosition } from "../../app/ports/ports.js";
import { hasBudgetToTell, hasEndedForGood, withActivity, withConsumed } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";

interface Consumed {
  readonly count: number;
  readonly budget: number;
  readonly consumed: number;
  readonly atMs: number;
}

/** What of the store it needs: its sessions, and a way to append to its log. */
export interface SessionsOfStore {
  readonly sessions: Map<string, Session>;
  appendRefresh(sessionId: string, atMs: number): void;
  position(): LogPosition;
}

export class MemoryUsage implements UsageStore {
  private readonly rows = new Map<string, Map<string, UsageRow>>();
  private readonly consumptions = new Map<string, Consumed>();

  constructor(private readonly store: SessionsOfStore) {}

  async hold(
    id: string,
    { edge, instance }: Instance,
    atMs: number,
    mayHold: (session: Session, holders: readonly Instance[]) => boolean,
  ): Promise<Held> {
    const rows = await this.rowsOf(id);
    const session = this.store.sessions.get(id);
    const position = this.store.position();
    if (session === undefined || hasEndedForGood(session) || !mayHold(session, rows)) {
      return { held: false, session, rows, position };
    }
    const key = `${instance}${edge}`;
    const held = this.rowsBySession(id);
    if (!held.has(key)) held.set(key, { edge, instance, figures: null });
    const active = withActivity(session, atMs);
    this.store.sessions.set(id, active);
    return { held: true, session: active, rows, position };
  }

  report(rows: readonly ReportedRow[], budgets: Budgets): Promise<ReadonlyMap<string, ReportedSession>> {
    const reported = new Map<string, ReportedSession>();
    for (const row of rows) {
      const taken = this.take(row, budgets);
      const before = reported.get(row.sessionId)?.consumed ?? 0;
      reported.set(row.sessionId, { session: taken.session, consumed: before + taken.consumed });
    }
    return Promise.resolve(reported);
  }

  rowsOf(sessionId: string): Promise<readonly UsageRow[]> {
    const rows = [...(this.rows.get(sessionId)?.values() ?? [])];
    const order = ({ edge, instance }: Instance): string => `${edge}\0${instance}`;
    return Promise.resolve(rows.sort((a, b) => (order(a) < order(b) ? -1 : 1)));
  }

  consume(id: string, { count, key, keptSinceMs, atMs, budgets, isLive }: Consumption): Promise<ConsumeOutcome> {
    const session = this.store.sessions.get(id);
    if (session === undefined) return Promise.resolve({ outcome: "unknown" });
    const earlier = key === null ? undefined : this.consumptions.get(`${id}${key}`);
    if (earlier !== undefined && earlier.atMs >= keptSinceMs) {
      if (earlier.count !== count) return Promise.resolve({ outcome: "keyReused" });
      const { budget, consumed } = earlier;
      return Promise.resolve({ outcome: "repeated", session, budget, consumed });
    }
    if (!isLive(session)) return Promise.resolve({ outcome: "ended" });
    const budget = budgets.get(session.plan.id);
    if (budget === undefined) return Promise.resolve({ outcome: "noBudget" });
    const { consumed: before } = session.tokens;
    if (before + count > budget) return Promise.resolve({ outcome: "overBudget", budget, consumed: before });
    const spent = this.spend(session, count, budgets, atMs);
    const { consumed } = spent.tokens;
    if (key !== null) this.consumptions.set(`${id}${key}`, { count, budget, consumed, atMs });
    return Promise.resolve({ outcome: "consumed", session: spent, budget, consumed });
  }

  forgetConsumptions(beforeMs: number, limit: number): Promise<number> {
    const old = [...this.consumptions].filter(([, { atMs }]) => atMs < beforeMs).slice(0, limit);
    for (const [key] of old) this.consumptions.delete(key);
    return Promise.resolve(old.length);
  }

  async endIfIdle(
    id: string,
    atMs: number,
    isIdle: IdleStep["isIdle"],
  ): Promise<{ newly: boolean; session: Session } | undefined> {
    const rows = await this.rowsOf(id);
    const session = this.store.sessions.get(id);
    if (session === undefined) return undefined;
    if (hasEndedForGood(session) || !isIdle(session, rows)) return { newly: false, session };
    return { newly: true, session: this.end(session, atMs) };
  }

  plansInUse(): Promise<readonly number[]> {
    const plans = new Set([...this.store.sessions.values()].map(({ plan }) => plan.id));
    return Promise.resolve([...plans].sort((a, b) => a - b));
  }

  async endIdle({ planId, untilMs, after, limit, atMs, isIdle }: IdleStep): Promise<Swept<ActivityCursor>> {
    const [afterMs, afterId] = after ?? [-1, ""];
    const found = [...this.store.sessions.values()]
      .filter((one) => one.plan.id === planId && !hasEndedForGood(one) && one.lastActivity <= untilMs)
      .filter((one) => one.lastActivity > afterMs || (one.lastActivity === afterMs && one.id > afterId))
      .sort((a, b) => a.lastActivity - b.lastActivity || (a.id < b.id ? -1 : 1))
      .slice(0, limit);
    const sessions: Session[] = [];
    for (const session of found) {
      if (isIdle(session, await this.rowsOf(session.id))) sessions.push(this.end(session, atMs));
    }
    const last = found.at(-1);
    return { sessions, next: last === undefined || found.length < limit ? undefined : [last.lastActivity, last.id] };
  }

  removeExpired({ planId, untilMs, after = "", limit, isExpired }: ExpiryStep): Promise<Swept<string>> {
    const found = [...this.store.sessions.values()]
      .filter((one) => one.plan.id === planId && !hasEndedForGood(one) && one.createdAt <= untilMs && one.id > after)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit);
    const sessions = found.filter(isExpired);
    for (const { id } of sessions) this.remove(id);
    return Promise.resolve({ sessions, next: found.length < limit ? undefined : found.at(-1)?.id });
  }

  removeEnded(createdBeforeMs: number, limit: number): Promise<number> {
    const ended = [...this.store.sessions.values()]
      .filter((one) => hasEndedForGood(one) && one.createdAt < createdBeforeMs)
      .slice(0, limit);
    for (const { id } of ended) this.remove(id);
    return Promise.resolve(ended.length);
  }

  private take({ sessionId, edge, instance, ...told }: ReportedRow, budgets: Budgets): ReportedSession {
    const before = this.store.sessions.get(sessionId);
    if (before === undefined) return { session: undefined, consumed: 0 };
    const known: Figures | null = this.rowsBySession(sessionId).get(`${instance}${edge}`)?.figures ?? null;
    const figures = { ...told, consumed: Math.max(told.consumed, known?.consumed ?? 0) };
    if (figures.rev <= (known?.rev ?? 0)) return { session: before, consumed: 0 };
    this.rowsBySession(sessionId).set(`${instance}${edge}`, { edge, instance, figures });
    const active = hasEndedForGood(before) ? before : withActivity(before, figures.atMs);
    const consumed = figures.consumed - (known?.consumed ?? 0);
    return { session: this.spend(active, consumed, budgets, figures.reportedAtMs), consumed };
  }

  private spend(session: Session, count: number, budgets: Budgets, atMs: number): Session {
    const spent = withConsumed(session, count);
    const budget = budgets.get(session.plan.id);
    const tell = hasBudgetToTell(spent, budget);
    const written = tell ? { ...spent, toldSpentBudget: budget } : spent;
    this.store.sessions.set(session.id, written);
    if (tell) this.store.appendRefresh(session.id, atMs);
    return written;
  }

  private end(session: Session, atMs: number): Session {
    const ended = { ...session, idleEndedAt: atMs };
    this.store.sessions.set(session.id, ended);
    return ended;
  }

  private remove(id: string): void {
    this.store.sessions.delete(id);
    this.rows.delete(id);
    for (const key of this.consumptions.keys()) if (key.startsWith(id)) this.consumptions.delete(key);
  }

  private rowsBySession(sessionId: string): Map<string, UsageRow> {
    const rows = this.rows.get(sessionId) ?? new Map<string, UsageRow>();
    this.rows.set(sessionId, rows);
    return rows;
  }
}
