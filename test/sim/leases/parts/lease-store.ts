// One store that several control planes share, in memory: each read and each write is a step of its own, in an order that the
// simulation chooses, and none of them locks. A failover goes on with what had been copied some time before, under another log.
import type { FleetReading, FleetTime } from "../../../../control-plane/src/app/ports/fleet-time.js";
import type { SessionStore } from "../../../../control-plane/src/app/ports/ports.js";
import { StoreUnwritable } from "../../../../control-plane/src/app/ports/store-health.js";
import type { Loads } from "../../../../control-plane/src/app/ports/update-ports.js";
import type { UsageStore } from "../../../../control-plane/src/app/ports/usage-ports.js";
import type { Changes, Decision } from "../../../../control-plane/src/domain/changes.js";
import type { Session } from "../../../../control-plane/src/domain/session.js";
import { activeSession } from "../../../../control-plane/src/domain/stored.js";
import type { LogPosition, SessionRecord } from "../../../../control-plane/src/domain/stored.js";
import { MemoryEngine } from "../../../../control-plane/src/store/memory/engine.js";
import { recordOf } from "../../../../control-plane/src/store/memory/records.js";
import type { MemorySession } from "../../../../control-plane/src/store/memory/records.js";
import { MemoryUsage } from "../../../../control-plane/src/store/memory/usage.js";
import {
  OptimisticUpdates,
  type Loaded,
  type Versions,
} from "../../../../control-plane/src/store/optimistic-updates.js";

/** What a replica has. */
export interface Copy {
  readonly sessions: ReadonlyMap<string, MemorySession>;
  readonly entries: readonly string[];
  readonly fleetMs: number;
}

export class LeaseStore {
  engine: MemoryEngine;
  log = "0000000000000001";
  /** Ids of the revoked sessions: the entries of the log. */
  entries: string[] = [];
  #lives = 1;

  /** Both are told once it is committed. */
  constructor(
    private readonly onRevoked: (id: string) => void,
    readonly onCommitted: (changes: Changes) => void,
  ) {
    this.engine = this.#newEngine();
  }

  position(): LogPosition {
    return { log: this.log, cursor: this.entries.length };
  }

  add(session: Session): void {
    this.engine.commit({ sessions: [{ before: null, after: session }] }, new Map());
  }

  record(id: string): SessionRecord | undefined {
    const stored = this.engine.sessions.get(id);
    return stored && recordOf(stored);
  }

  copy(): Copy {
    const { sessions, fleetTime } = this.engine;
    return { sessions: new Map(sessions), entries: [...this.entries], fleetMs: fleetTime.ms };
  }

  /** The primary is lost, and a replica that has no more than this goes on, under another log. */
  failOver({ sessions, entries, fleetMs }: Copy): void {
    this.#lives += 1;
    this.log = this.#lives.toString(16).padStart(16, "0");
    this.entries = [...entries];
    this.engine = this.#newEngine();
    for (const [id, stored] of sessions) this.engine.sessions.set(id, stored);
    this.engine.fleetTime.ms = fleetMs;
    this.engine.beginLife();
  }

  #newEngine(): MemoryEngine {
    return new MemoryEngine({
      now: () => this.position(),
      append: (kind, sessionId) => {
        if (kind !== "revoked") return;
        this.entries.push(sessionId);
        this.onRevoked(sessionId);
      },
    });
  }
}

interface Step {
  readonly run: () => void;
  readonly fail: () => void;
}

/** A control plane's connection to the store. */
export class StoreLink implements SessionStore {
  #steps: Step[] = [];
  readonly #updates: OptimisticUpdates;

  constructor(private readonly store: LeaseStore) {
    this.#updates = new OptimisticUpdates({
      load: (kind, wanted) => this.#step(() => this.#load(kind, wanted)),
      commit: (changes, expected) => this.#step(() => this.#commit(changes, expected)),
    });
  }

  get ready(): number {
    return this.#steps.length;
  }

  /** One of the steps that are sent happens. @param isLost its answer does not arrive: the control plane only hears of an error */
  take(which: number, isLost: boolean): void {
    const [step] = this.#steps.splice(which, 1);
    if (step === undefined) return;
    step.run();
    if (isLost) step.fail();
  }

  /** The process is gone: what is not sent never happens. */
  drop(): void {
    this.#steps = [];
  }

  update<Kind extends keyof Loads, Answer>(
    kind: Kind,
    wanted: Loads[Kind]["wanted"],
    decide: (found: Loads[Kind]["found"]) => Decision<Answer>,
  ): Promise<Decision<Answer>> {
    return this.#updates.update(kind, wanted, decide);
  }

  find(id: string): Promise<Session | undefined> {
    return this.#step(() => {
      const record = this.store.record(id);
      return record && activeSession(record);
    });
  }

  position(): Promise<LogPosition> {
    return this.#step(() => this.store.position());
  }

  countLive(): Promise<number> {
    return Promise.resolve(0);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  readonly fleetTime: FleetTime = {
    read: () => this.#step(() => this.#fleetReading()),
    raise: ({ log, ms }) =>
      this.#step(() => {
        const { fleetTime } = this.store.engine;
        if (log === this.store.log) fleetTime.ms = Math.max(fleetTime.ms, Math.floor(ms));
        return this.#fleetReading();
      }),
  };

  readonly usage: UsageStore = {
    look: (id) => this.#step(() => this.store.engine.load("session", id).found),
    rowsOf: async (id) => new MemoryUsage(this.store.engine).rowsOf(id),
    plansInUse: () => Promise.resolve([0]),
    forgetConsumptions: () => Promise.resolve(0),
  };

  #fleetReading(): FleetReading {
    return { log: this.store.log, ms: this.store.engine.fleetTime.ms };
  }

  /** Versions are of one life of the store. */
  #load<Kind extends keyof Loads>(kind: Kind, wanted: Loads[Kind]["wanted"]): Loaded<Loads[Kind]["found"]> {
    const { found, versions } = this.store.engine.load(kind, wanted);
    return { found, versions: new Map<string, string | number>(versions).set("log", this.store.log) };
  }

  #commit(changes: Changes, expected: Versions): "committed" | "conflict" {
    const { log, ...versions } = Object.fromEntries(expected);
    if (log !== this.store.log) return "conflict";
    if (!this.store.engine.commit(changes, new Map(Object.entries(versions)))) return "conflict";
    this.store.onCommitted(changes);
    return "committed";
  }

  #step<T>(apply: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let done: { readonly value: T } | undefined;
      this.#steps.push({
        run: () => {
          done = { value: apply() };
          queueMicrotask(() => {
            if (done !== undefined) resolve(done.value);
          });
        },
        fail: () => {
          done = undefined;
          reject(new StoreUnwritable("the connection broke"));
        },
      });
    });
  }
}
