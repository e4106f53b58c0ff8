// The control plane's store for the simulation: each read and each commit is a step of its own, in an order that the
// simulation chooses. What was not committed is lost with the process; a backup is a copy of what was.
import type {
  LogAdvance,
  LogLimits,
  LogReading,
  Invalidation,
  InvalidationLog,
} from "../../../control-plane/src/app/ports/log-ports.js";
import type {
  LogPosition,
  PolicyDecision,
  PolicyStore,
  SessionStore,
  StoredPolicy,
} from "../../../control-plane/src/app/ports/ports.js";
import type { ReportedRow, UsageRow, UsageStore } from "../../../control-plane/src/app/ports/usage-ports.js";
import type { Session } from "../../../control-plane/src/domain/session.js";
import { MemoryUsage } from "../../../control-plane/src/store/memory/usage.js";
import { Violation } from "../invariants/violation.js";

/** A read or a commit that has not happened yet. */
interface Step {
  readonly writes: boolean;
  readonly run: () => Promise<void>;
}

export interface Backup {
  readonly sessions: ReadonlyMap<string, Session>;
  readonly rows: ReadonlyMap<string, readonly UsageRow[]>;
  readonly entries: readonly Invalidation[];
  readonly trimmed: number;
  readonly generations: ReadonlyMap<number, StoredPolicy>;
}

/** What the simulation wants to know of commits, to check them against what really happened. */
export interface StoreWitness {
  reported(rows: readonly ReportedRow[]): void;
  revoked(sessionId: string, log: string, number: number): void;
  endedForIdleness(session: Session): void;
}

export class SimStore implements SessionStore, InvalidationLog {
  readonly sessions = new Map<string, Session>();
  log: string;
  private entries: Invalidation[] = [];
  private trimmed = 0;
  private figures = this.newFigures();
  private steps: Step[] = [];
  private readonly listeners = new Set<(advance: LogAdvance) => void>();
  readonly usage: UsageStore = this.usageInSteps();
  readonly policies: PolicyStore = this.policiesInSteps();
  /** Of the policy; the newest is the last. */
  private generations: ReadonlyMap<number, StoredPolicy>;

  constructor(
    log: string,
    first: PolicyDecision,
    private readonly witness: StoreWitness,
  ) {
    this.log = log;
    this.generations = new Map([[first.generation, { ...first, position: this.now() }]]);
  }

  // --- What the simulation does -------------------------------------------------------------------------------

  /** Steps that could happen next: any read, and the first of the commits. */
  get ready(): number {
    return this.steps.filter((step) => !step.writes).length + (this.steps.some((step) => step.writes) ? 1 : 0);
  }

  async take(which: number): Promise<void> {
    const firstWrite = this.steps.find((step) => step.writes);
    const ready = this.steps.filter((step) => !step.writes || step === firstWrite);
    const step = ready[which];
    if (step === undefined) return;
    this.steps = this.steps.filter((other) => other !== step);
    await step.run();
  }

  /** The process dies: what waits never happens. */
  crash(): void {
    this.steps = [];
    this.listeners.clear();
  }

  async backUp(): Promise<Backup> {
    const rows = new Map<string, readonly UsageRow[]>();
    for (const id of this.sessions.keys()) rows.set(id, await this.figures.rowsOf(id));
    return {
      sessions: new Map(this.sessions),
      rows,
      entries: [...this.entries],
      trimmed: this.trimmed,
      generations: new Map(this.generations),
    };
  }

  /** The restore command: the backup's contents under a new log. */
  async restore(backup: Backup, log: string): Promise<void> {
    this.crash();
    this.log = log;
    this.figures = this.newFigures();
    this.sessions.clear();
    for (const [id, session] of backup.sessions) this.sessions.set(id, session);
    for (const [sessionId, rows] of backup.rows) {
      for (const { edge, instance, figures } of rows) {
        await this.figures.hold(sessionId, { edge, instance }, 0, () => true);
        if (figures !== null) await this.figures.report([{ sessionId, edge, instance, ...figures }], new Map());
      }
    }
    for (const [id, session] of backup.sessions) this.sessions.set(id, session);
    this.entries = [...backup.entries];
    this.trimmed = backup.trimmed;
    this.generations = new Map(backup.generations);
  }

  /** Drops the oldest entries, as time does. */
  forgetEntries(count: number): void {
    this.trimmed += this.entries.splice(0, count).length;
  }

  /** A session is to be asked about again: its plan has changed, say. */
  refresh(id: string): Promise<void> {
    return this.commit(() => {
      this.append("refresh", id, 0);
    });
  }

  head(): number {
    return this.trimmed + this.entries.length;
  }

  newestGeneration(): number {
    return Math.max(...this.generations.keys());
  }

  /** What is durable of a session at an instance now. */
  async durable(sessionId: string, instance: string): Promise<{ rev: number; consumed: number }> {
    const rows = await this.figures.rowsOf(sessionId);
    return rows.find((row) => row.instance === instance)?.figures ?? { rev: 0, consumed: 0 };
  }

  async durableRows(sessionId: string): Promise<readonly UsageRow[]> {
    return this.figures.rowsOf(sessionId);
  }

  // --- SessionStore -------------------------------------------------------------------------------------------

  create(session: Session): Promise<void> {
    return this.commit(() => void this.sessions.set(session.id, session));
  }

  find(id: string): Promise<Session | undefined> {
    return this.look(() => this.sessions.get(id));
  }

  revoke(id: string, atMs: number): Promise<{ newly: boolean; session: Session } | undefined> {
    return this.commit(() => {
      const session = this.sessions.get(id);
      if (session === undefined) return undefined;
      if (session.revokedAt !== null) return { newly: false, session };
      const revoked = { ...session, revokedAt: atMs };
      this.sessions.set(id, revoked);
      this.append("revoked", id, atMs);
      this.witness.revoked(id, this.log, this.head());
      return { newly: true, session: revoked };
    });
  }

  position(): Promise<LogPosition> {
    return this.look(() => this.now());
  }

  countLive(): Promise<number> {
    return Promise.resolve(0);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  // --- InvalidationLog ------------------------------------------------------------------------------------------

  read(since: number, limit: number): Promise<LogReading> {
    return this.look(() => this.entriesAfter(since, limit));
  }

  subscribe(listener: (advance: LogAdvance) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  trim(_limits: LogLimits, _chunk: number): Promise<number> {
    return Promise.resolve(0);
  }

  // ------------------------------------------------------------------------------------------------------------

  private entriesAfter(since: number, limit: number): LogReading {
    const position = this.now();
    if (since > position.cursor || since < this.trimmed) return { kind: "outOfReach", position };
    const entries = this.entries.slice(since - this.trimmed).slice(0, limit);
    return { kind: "entries", position: { ...position, cursor: since + entries.length }, entries };
  }

  private now(): LogPosition {
    return { log: this.log, cursor: this.head() };
  }

  private append(kind: Invalidation["kind"], sessionId: string, atMs: number): void {
    this.entries.push({ kind, sessionId, atMs });
    for (const listener of this.listeners) listener({ cursor: this.head(), revoked: kind === "revoked" });
  }

  private newFigures(): MemoryUsage {
    return new MemoryUsage({
      sessions: this.sessions,
      appendRefresh: (sessionId, atMs) => {
        this.append("refresh", sessionId, atMs);
      },
      position: () => this.now(),
    });
  }

  private usageInSteps(): UsageStore {
    return {
      report: (rows, budgets) =>
        this.commit(async () => {
          const reported = await this.figures.report(rows, budgets);
          this.witness.reported(rows);
          return reported;
        }),
      hold: (id, holder, atMs, mayHold) => this.commit(() => this.figures.hold(id, holder, atMs, mayHold)),
      rowsOf: (id) => this.look(() => this.figures.rowsOf(id)),
      consume: (id, consumption) => this.commit(() => this.figures.consume(id, consumption)),
      forgetConsumptions: (beforeMs, limit) => this.commit(() => this.figures.forgetConsumptions(beforeMs, limit)),
      endIfIdle: (id, atMs, isIdle) =>
        this.commit(async () => {
          const ended = await this.figures.endIfIdle(id, atMs, isIdle);
          if (ended?.newly === true) this.witness.endedForIdleness(ended.session);
          return ended;
        }),
      plansInUse: () => this.look(() => this.figures.plansInUse()),
      endIdle: (step) =>
        this.commit(async () => {
          const swept = await this.figures.endIdle(step);
          for (const session of swept.sessions) this.witness.endedForIdleness(session);
          return swept;
        }),
      removeExpired: (step) => this.commit(() => this.figures.removeExpired(step)),
      removeEnded: (beforeMs, limit) => this.commit(() => this.figures.removeEnded(beforeMs, limit)),
    };
  }

  private policiesInSteps(): PolicyStore {
    return {
      newestGeneration: () => Promise.resolve(this.newestGeneration()),
      policy: (generation) => Promise.resolve(this.generations.get(generation)),
      savePolicy: (decision, expectedGeneration) =>
        this.commit(() => {
          if (this.newestGeneration() !== expectedGeneration) return false;
          const stored = { ...decision, position: this.now() };
          this.generations = new Map([...this.generations, [decision.generation, stored]]);
          return true;
        }),
      forgetPolicies: () => Promise.resolve(0),
    };
  }

  private look<T>(apply: () => T | Promise<T>): Promise<T> {
    return this.step(false, apply);
  }

  /** One transaction: no reader and no listener sees it before it has happened. */
  private commit<T>(apply: () => T | Promise<T>): Promise<T> {
    return this.step(true, apply);
  }

  private step<T>(writes: boolean, apply: () => T | Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.steps.push({
        writes,
        run: async () => {
          try {
            resolve(await apply());
          } catch (error) {
            if (error instanceof Violation) throw error;
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        },
      });
    });
  }
}
