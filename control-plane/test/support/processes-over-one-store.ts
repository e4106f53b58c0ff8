// Updates of several processes over one store in memory, each step of which waits until a test lets it go on.
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Loads, UpdateMeter, Updates } from "../../src/app/ports/update-ports.js";
import type { Changes, Decision } from "../../src/domain/changes.js";
import type { Invalidation, LogPosition } from "../../src/domain/stored.js";
import { MemoryEngine } from "../../src/store/memory/engine.js";
import { recordOf } from "../../src/store/memory/records.js";
import { MemoryStore } from "../../src/store/memory/store.js";
import type { AppendableLog } from "../../src/store/memory/records.js";
import { OptimisticUpdates } from "../../src/store/optimistic-updates.js";
import type { VersionedEngine, Versions } from "../../src/store/optimistic-updates.js";
import { QueuedUpdates } from "../../src/store/queued-updates.js";
import type { WaitingBounds } from "../../src/store/waiting-counts.js";

/** One update, as whoever asks for it says it. */
export interface Asked<Kind extends keyof Loads = keyof Loads> {
  readonly kind: Kind;
  readonly wanted: Loads[Kind]["wanted"];
  readonly decide: (found: Loads[Kind]["found"]) => Decision<unknown>;
}

export const asked = <Kind extends keyof Loads>(
  kind: Kind,
  wanted: Loads[Kind]["wanted"],
  decide: (found: Loads[Kind]["found"]) => Decision<unknown>,
): Asked => ({ kind, wanted, decide });

/** What was loaded for an update, and which one it was: in the order in which they were committed. */
export interface Committed {
  readonly one: Asked;
  readonly wanted: unknown;
}

export class CountingMeter implements UpdateMeter {
  readonly conflicts: (keyof Loads)[] = [];
  readonly givenUp: (keyof Loads)[] = [];
  conflicted(kind: keyof Loads): void {
    this.conflicts.push(kind);
  }
  gaveUp(kind: keyof Loads): void {
    this.givenUp.push(kind);
  }
}

/** A store in memory with a queue in front of it. */
export const queuedStore = (): MemoryStore =>
  new MemoryStore(undefined, (engine) => new QueuedUpdates(engine, new CountingMeter()));

export class ProcessesOverOneStore {
  readonly held = memoryEngine();
  readonly engine = this.held.engine;
  readonly meter = new CountingMeter();
  readonly committed: Committed[] = [];
  /** What every load was asked for, in their order. */
  readonly loaded: { readonly kind: keyof Loads; readonly wanted: unknown }[] = [];
  /** Loads and commits that have not begun. */
  readonly steps: (() => void)[] = [];
  commits = 0;
  private readonly wantedOf = new Map<Versions, unknown>();
  private justDecided: Asked[] = [];

  /** One more process. */
  process(bounds?: WaitingBounds): QueuedUpdates {
    const engine: VersionedEngine = {
      load: async (kind, wanted) => {
        this.loaded.push({ kind, wanted });
        await this.turn();
        const loaded = this.engine.load(kind, wanted);
        this.wantedOf.set(loaded.versions, wanted);
        return loaded;
      },
      commit: (changes, expected) => this.commit(changes, expected),
    };
    return new QueuedUpdates(engine, this.meter, bounds);
  }

  /** The answer, and the update's place among those that were committed. */
  async ask(updates: Updates, one: Asked): Promise<unknown> {
    const decide = (found: never): Decision<unknown> => {
      this.justDecided.push(one);
      return one.decide(found);
    };
    return (await updates.update(one.kind, one.wanted, decide as Asked["decide"])).answer;
  }

  /** Lets steps go on, one at a time, until there are none: `pick` says which of so many. */
  async run(pick: (count: number) => number = () => 0): Promise<void> {
    await nextTurn();
    while (this.steps.length > 0) {
      const [step] = this.steps.splice(pick(this.steps.length), 1);
      step?.();
      await nextTurn();
    }
  }

  private async commit(changes: Changes, expected: Versions): Promise<"committed" | "conflict"> {
    // Decided in the same turn: nothing else has been decided in between.
    const those = this.justDecided;
    this.justDecided = [];
    await this.turn();
    this.commits += 1;
    if (!this.engine.commit(changes, expected)) return "conflict";
    const wanted = this.wantedOf.get(expected);
    this.committed.push(...those.map((one) => ({ one, wanted })));
    return "committed";
  }

  private turn(): Promise<void> {
    return new Promise((resolve) => this.steps.push(resolve));
  }
}

/** With all entries of its log. */
class ListedLog implements AppendableLog {
  readonly entries: Invalidation[] = [];
  now(): LogPosition {
    return { log: "log-of-a-test", cursor: this.entries.length };
  }
  append(kind: Invalidation["kind"], sessionId: string, atMs: number): void {
    this.entries.push({ kind, sessionId, atMs });
  }
}

/** An engine whose log keeps all entries. */
export interface EngineOfTests {
  readonly engine: MemoryEngine;
  readonly log: ListedLog;
}

export function memoryEngine(): EngineOfTests {
  const log = new ListedLog();
  return { engine: new MemoryEngine(log), log };
}

/** Updates that are made one after the other over an engine. */
export const inOrder = (engine: MemoryEngine): Updates =>
  new OptimisticUpdates({
    load: (kind, wanted) => Promise.resolve(engine.load(kind, wanted)),
    commit: (changes, expected) => Promise.resolve(engine.commit(changes, expected) ? "committed" : "conflict"),
  });

/** All that stands in it, for comparison. */
export function contentsOf({ engine, log }: EngineOfTests) {
  const { sessions, creationKeys, revocations, audit } = engine;
  return {
    sessions: new Map([...sessions].map(([id, one]) => [id, { ...recordOf(one), keys: one.consumptionKeys }])),
    ...{ creationKeys, revocations, audit },
    log: log.entries,
  };
}
