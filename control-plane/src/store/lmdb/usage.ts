// Usage in LMDB: what instances report, who holds a session, what backends consume. A session and its rows together.
import type {
  ActivityCursor,
  Budgets,
  Consumption,
  ConsumeOutcome,
  ExpiryStep,
  Held,
  IdleStep,
  Instance,
  ReportedRow,
  ReportedSession,
  Swept,
  UsageRow,
  UsageStore,
} from "../../app/ports/usage-ports.js";
import { hasBudgetToTell, hasEndedForGood, withActivity, withConsumed } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import type { LmdbLayout } from "./layout.js";
import { appendInvalidation, cursorOf } from "./invalidation-log.js";
import { findWithRows, holdRow, presentForm, usageRows } from "./usage-rows.js";
import type { Row } from "./usage-rows.js";
import { endIdleStep, endNow, plansInUse, removeEndedStep, removeExpiredStep } from "./sweep.js";

export class LmdbUsage implements UsageStore {
  /** @param log the id of the store's log */
  constructor(
    private readonly db: LmdbLayout,
    private readonly log: string,
  ) {}

  report(rows: readonly ReportedRow[], budgets: Budgets): Promise<ReadonlyMap<string, ReportedSession>> {
    return this.db.env.transaction(() => {
      const reported = new Map<string, ReportedSession>();
      for (const [id, own] of bySession(rows)) reported.set(id, this.take(id, own, budgets));
      return reported;
    });
  }

  async hold(
    sessionId: string,
    holder: Instance,
    atMs: number,
    mayHold: (session: Session, holders: readonly Instance[]) => boolean,
  ): Promise<Held> {
    const then = await this.db.env.transaction((): Held => {
      const found = this.look(sessionId);
      const { session, rows } = found;
      if (session === undefined || hasEndedForGood(session) || !mayHold(session, rows))
        return { ...found, held: false };
      // Not the session too: that would be a second write an acquire (docs/decisions/0031-one-write-an-acquire.md).
      holdRow(this.db, sessionId, holder, rows, atMs);
      return { ...found, held: true, session: withActivity(session, atMs) };
    });
    // While the commit was under way, invalidations may have been sent to edges.
    return cursorOf(this.db) > then.position.cursor ? { ...this.look(sessionId), held: then.held } : then;
  }

  /** All of one moment: inside a transaction, or within one turn of the event loop. */
  private look(id: string): Omit<Held, "held"> & { readonly rows: readonly Row[] } {
    const position = { log: this.log, cursor: cursorOf(this.db) };
    const { session, rows } = findWithRows(this.db, id) ?? { session: undefined, rows: [] };
    return { session, rows, position };
  }

  rowsOf(sessionId: string): Promise<readonly UsageRow[]> {
    const rows = usageRows(this.db, sessionId);
    return Promise.resolve(rows.map(({ edge, instance, figures }) => ({ edge, instance, figures })));
  }

  consume(sessionId: string, consumption: Consumption): Promise<ConsumeOutcome> {
    return this.db.env.transaction(() => this.consumeNow(sessionId, consumption));
  }

  forgetConsumptions(beforeMs: number, limit: number): Promise<number> {
    const { consumptions, consumptionsByTime, env } = this.db;
    return env.transaction(() => {
      const old = [...consumptionsByTime.getKeys({ end: [beforeMs, "", ""], limit })];
      for (const [atMs, sessionId, key] of old) {
        void consumptionsByTime.remove([atMs, sessionId, key]);
        // The key may have been used again since.
        if (consumptions.get([sessionId, key])?.atMs === atMs) void consumptions.remove([sessionId, key]);
      }
      return old.length;
    });
  }

  endIfIdle(
    sessionId: string,
    atMs: number,
    isIdle: IdleStep["isIdle"],
  ): Promise<{ newly: boolean; session: Session } | undefined> {
    return this.db.env.transaction(() => {
      const found = findWithRows(this.db, sessionId);
      if (found === undefined) return undefined;
      const { session, rows } = found;
      if (hasEndedForGood(session) || !isIdle(session, rows)) return { newly: false, session };
      return { newly: true, session: endNow(this.db, session, atMs) };
    });
  }

  plansInUse(): Promise<readonly number[]> {
    return Promise.resolve(plansInUse(this.db));
  }

  endIdle(step: IdleStep): Promise<Swept<ActivityCursor>> {
    return this.db.env.transaction(() => endIdleStep(this.db, step));
  }

  removeExpired(step: ExpiryStep): Promise<Swept<string>> {
    return this.db.env.transaction(() => removeExpiredStep(this.db, step));
  }

  removeEnded(createdBeforeMs: number, limit: number): Promise<number> {
    return this.db.env.transaction(() => removeEndedStep(this.db, createdBeforeMs, limit));
  }

  private take(id: string, rows: readonly ReportedRow[], budgets: Budgets): ReportedSession {
    const before = this.db.sessions.get(id);
    if (before === undefined) return { session: undefined, consumed: 0 };
    let consumed = 0;
    let activeAtMs = -1;
    for (const { edge, instance, rev, consumed: inAll, levelMicro, atMs, reportedAtMs } of rows) {
      const known = presentForm(this.db.usage.get([id, edge, instance]) ?? null);
      if (rev <= (known.figures?.rev ?? 0)) continue;
      // What was spent stays spent, whatever a later row says: a budget is not given back.
      const spent = Math.max(inAll, known.figures?.consumed ?? 0);
      const figures = { rev, consumed: spent, levelMicro, atMs, reportedAtMs };
      void this.db.usage.put([id, edge, instance], { acquiredAtMs: known.acquiredAtMs, figures });
      consumed += spent - (known.figures?.consumed ?? 0);
      activeAtMs = Math.max(activeAtMs, atMs);
    }
    if (activeAtMs < 0) return { session: before, consumed: 0 };
    const active = hasEndedForGood(before) ? before : withActivity(before, activeAtMs);
    return { session: this.spend(active, consumed, budgets, newestReport(rows)), consumed };
  }

  /** Writes the session with so many tokens more consumed, and invalidates it if that has reached its budget. */
  private spend(session: Session, count: number, budgets: Budgets, atMs: number): Session {
    const spent = withConsumed(session, count);
    const budget = budgets.get(session.plan.id);
    const tell = hasBudgetToTell(spent, budget);
    const written = tell ? { ...spent, toldSpentBudget: budget } : spent;
    void this.db.sessions.put(session.id, written);
    if (tell) appendInvalidation(this.db, "refresh", session.id, atMs);
    return written;
  }

  private consumeNow(id: string, { count, key, keptSinceMs, atMs, budgets, isLive }: Consumption): ConsumeOutcome {
    const { sessions, consumptions, consumptionsByTime } = this.db;
    const session = sessions.get(id);
    if (session === undefined) return { outcome: "unknown" };
    const earlier = key === null ? undefined : consumptions.get([id, key]);
    if (earlier !== undefined && earlier.atMs >= keptSinceMs) {
      if (earlier.count !== count) return { outcome: "keyReused" };
      return { outcome: "repeated", session, budget: earlier.budget, consumed: earlier.consumed };
    }
    if (!isLive(session)) return { outcome: "ended" };
    const budget = budgets.get(session.plan.id);
    if (budget === undefined) return { outcome: "noBudget" };
    if (session.tokens.consumed + count > budget) {
      return { outcome: "overBudget", budget, consumed: session.tokens.consumed };
    }
    const spent = this.spend(session, count, budgets, atMs);
    const { consumed } = spent.tokens;
    if (key !== null) {
      void consumptions.put([id, key], { count, budget, consumed, atMs });
      void consumptionsByTime.put([atMs, id, key], true);
    }
    return { outcome: "consumed", session: spent, budget, consumed };
  }
}

function bySession(rows: readonly ReportedRow[]): Map<string, ReportedRow[]> {
  const groups = new Map<string, ReportedRow[]>();
  for (const row of rows) {
    const group = groups.get(row.sessionId);
    if (group === undefined) groups.set(row.sessionId, [row]);
    else group.push(row);
  }
  return groups;
}

const newestReport = (rows: readonly ReportedRow[]): number => Math.max(...rows.map((row) => row.reportedAtMs));
