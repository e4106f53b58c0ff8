// The control plane's store for the simulation: each read and each commit is a step of its own, in an order that the
// simulation chooses. What was not committed is lost with the process; a backup is a copy of what was.
import type {
  Invalidation,
  InvalidationKind,
  LogPosition,
  UsageRow,
} from "../../../control-plane/src/domain/stored.js";
import type {
  InvalidationLog,
  LogAdvance,
  LogLimits,
  LogReading,
} from "../../../control-plane/src/app/ports/log-ports.js";
import type {
  PolicyDecision,
  PolicyStore,
  SessionStore,
  StoredPolicy,
} from "../../../control-plane/src/app/ports/ports.js";
import type { Loads } from "../../../control-plane/src/app/ports/update-ports.js";
import type { UsageStore } from "../../../control-plane/src/app/ports/usage-ports.js";
import type { Changes, Decision, StoredRow } from "../../../control-plane/src/domain/changes.js";
import type { Session } from "../../../control-plane/src/domain/session.js";
import { activeSession } from "../../../control-plane/src/domain/stored.js";
import { MemoryEngine } from "../../../control-plane/src/store/memory/engine.js";
import { recordOf } from "../../../control-plane/src/store/memory/records.js";
import type { MemorySession } from "../../../control-plane/src/store/memory/records.js";
import { MemoryUsage } from "../../../control-plane/src/store/memory/usage.js";
import { Violation } from "../invariants/violation.js";

/** A read or a commit that has not happened yet. */
interface Step {
  readonly writes: boolean;
  readonly run: () => Promise<void>;
}

export interface Backup {
  readonly sessions: ReadonlyMap<string, MemorySession>;
  readonly entries: readonly Invalidation[];
  readonly trimmed: number;
  readonly generations: ReadonlyMap<number, StoredPolicy>;
}

/** What the simulation wants to know of commits, to check them against what really happened. */
export interface StoreWitness {
  reported(rows: readonly StoredRow[]): void;
  revoked(sessionId: string, log: string, number: number): void;
  endedForIdleness(session: Session): void;
}

export class SimStore implements SessionStore, InvalidationLog {
  log: string;
  private entries: Invalidation[] = [];
  private trimmed = 0;
  private engine = this.newEngine();
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

  backUp(): Backup {
    const { entries, trimmed, generations } = this;
    return {
      sessions: new Map(this.engine.sessions),
      entries: [...entries],
      trimmed,
      generations: new Map(generations),
    };
  }

  /** The restore command: the backup's contents under a new log. */
  restore(backup: Backup, log: string): void {
    this.crash();
    this.log = log;
    this.engine = this.newEngine();
    for (const [id, stored] of backup.sessions) this.engine.sessions.set(id, stored);
    this.entries = [...backup.entries];
    this.trimmed = backup.trimmed;
    this.generations = new Map(backup.generations);
  }

  /** As after a failover that lost nothing: the same contents under another log, while the process runs on. */
  changeLog(log: string): void {
    this.log = log;
    for (const listener of this.listeners) listener({ ...this.now(), revoked: false });
  }

  /** A client has logged in: its session is there from now on. */
  add(session: Session): void {
    this.engine.commit({ sessions: [{ before: null, after: session }] }, new Map());
  }

  /** As it is stored now. */
  stored(id: string): Session | undefined {
    return this.engine.sessions.get(id)?.session;
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
  durable(sessionId: string, instance: string): { rev: number; consumed: number } {
    return this.durableRows(sessionId).find((row) => row.instance === instance)?.figures ?? { rev: 0, consumed: 0 };
  }

  durableRows(sessionId: string): readonly UsageRow[] {
    const stored = this.engine.sessions.get(sessionId);
    return stored === undefined ? [] : recordOf(stored).rows;
  }

  // --- SessionStore -------------------------------------------------------------------------------------------

  update<Kind extends keyof Loads, Answer>(
    kind: Kind,
    wanted: Loads[Kind]["wanted"],
    decide: (found: Loads[Kind]["found"]) => Decision<Answer>,
  ): Promise<Decision<Answer>> {
    return this.commit(() => {
      const { found, versions } = this.engine.load(kind, wanted);
      const decision = decide(found);
      this.engine.commit(decision.changes, versions);
      this.tell(decision.changes);
      return decision;
    });
  }

  find(id: string): Promise<Session | undefined> {
    return this.look(() => {
      const stored = this.engine.sessions.get(id);
      return stored && activeSession(recordOf(stored));
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

  read(since: LogPosition, limit: number): Promise<LogReading> {
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

  private entriesAfter({ log, cursor: since }: LogPosition, limit: number): LogReading {
    const position = this.now();
    if (log !== this.log || since > position.cursor || since < this.trimmed) return { kind: "outOfReach", position };
    const entries = this.entries.slice(since - this.trimmed).slice(0, limit);
    return { kind: "entries", position: { ...position, cursor: since + entries.length }, entries };
  }

  private now(): LogPosition {
    return { log: this.log, cursor: this.head() };
  }

  private append(kind: InvalidationKind, sessionId: string, atMs: number): void {
    this.entries.push({ kind, sessionId, atMs });
    for (const listener of this.listeners) listener({ ...this.now(), revoked: kind === "revoked" });
  }

  private newEngine(): MemoryEngine {
    return new MemoryEngine({
      now: () => this.now(),
      append: (kind, sessionId, atMs) => {
        this.append(kind, sessionId, atMs);
        if (kind === "revoked") this.witness.revoked(sessionId, this.log, this.head());
      },
    });
  }

  private tell({ rows = [], sessions = [] }: Changes): void {
    this.witness.reported(rows);
    for (const { before, after } of sessions) {
      if (after?.idleEndedAt !== undefined && before?.idleEndedAt === undefined) this.witness.endedForIdleness(after);
    }
  }

  private usageInSteps(): UsageStore {
    const usage = (): MemoryUsage => new MemoryUsage(this.engine);
    return {
      look: (id) => this.look(() => usage().look(id)),
      rowsOf: (id) => this.look(() => usage().rowsOf(id)),
      plansInUse: () => this.look(() => usage().plansInUse()),
      forgetConsumptions: (beforeMs, limit) => this.commit(() => usage().forgetConsumptions(beforeMs, limit)),
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
