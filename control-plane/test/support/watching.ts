// Watches over a log and a clock that a test holds in its hands, and edges that call them.
import { EdgeRegistry } from "../../src/app/edges/status/edge-registry.js";
import type { ReceivedPolicy } from "../../src/app/ports/edge-ports.js";
import type { EdgeStatus } from "../../src/app/ports/edge-status-ports.js";
import type { InvalidationLog } from "../../src/app/ports/log-ports.js";
import type { Watched, WatchOutcome, WatchRequest } from "../../src/app/ports/watch-ports.js";
import { Watches } from "../../src/app/edges/watches.js";
import type { PlansOfPolicy } from "../../src/domain/plan.js";
import { FixedClock } from "./fixed-clock.js";
import { ManualTimers } from "./manual-timers.js";
import { MemoryLog } from "../../src/store/memory/invalidation-log.js";
import { REPORTING, STARTER } from "./sessions.js";
import { PoliciesInForce } from "./policies-in-force.js";

/** The policy of tests; which one edges are given does not matter to most. */
export const POLICY: PlansOfPolicy = { ...REPORTING, plans: [STARTER] };

export interface WatchingLog<Log extends InvalidationLog> {
  readonly log: Log;
  readonly clock: FixedClock;
  readonly timers: ManualTimers;
  /** Generation 1 of the policy of tests is in force. */
  readonly policies: PoliciesInForce;
  readonly instances: EdgeRegistry;
  readonly watches: Watches;
  /** What watches came to, in order. */
  readonly outcomes: WatchOutcome[];
  /** Propagation times, ms. */
  readonly propagated: number[];
  readonly logged: object[];
}

export function watchesOver<Log extends InvalidationLog>(
  log: Log,
  maxHeld = 100,
  nextTurn?: () => Promise<void>,
  known: readonly EdgeStatus[] = [],
): WatchingLog<Log> {
  const clock = new FixedClock();
  const timers = new ManualTimers(clock);
  const policies = new PoliciesInForce(clock, POLICY);
  const instances = new EdgeRegistry({ clock, policies, known });
  const outcomes: WatchOutcome[] = [];
  const propagated: number[] = [];
  const logged: object[] = [];
  const note = (fields: object): void => void logged.push(fields);
  const meter = {
    watchEnded: (outcome: WatchOutcome) => void outcomes.push(outcome),
    propagated: (ms: number) => void propagated.push(ms),
  };
  const logger = { debug: note, info: note, warn: note, error: note };
  const turns = nextTurn === undefined ? {} : { nextTurn };
  const watches = new Watches({ log, policies, clock, timers, instances, meter, logger, maxHeld, ...turns });
  return { log, clock, timers, policies, instances, watches, outcomes, propagated, logged };
}

export const watchingMemory = (
  maxHeld?: number,
  nextTurn?: () => Promise<void>,
  known?: readonly EdgeStatus[],
): WatchingLog<MemoryLog> => watchesOver(new MemoryLog(), maxHeld, nextTurn, known);

/** That an edge has received this generation, of the log of tests. */
export const received = (generation: number, fields: Partial<ReceivedPolicy> = {}): ReceivedPolicy => ({
  log: new MemoryLog().id,
  generation,
  hash: "0123456789abcdef",
  state: "ok",
  violations: [],
  ...fields,
});

export const FILTER = { version: "0.1.0", build: "b".repeat(16), policyFormat: 1 };

/** A request of one edge; by default of `gw-1`, which runs generation 1, from the beginning of the log of tests. */
export const request = (fields: Partial<WatchRequest> = {}): WatchRequest => ({
  edge: "gw-1",
  instance: "00112233aabbccdd",
  log: new MemoryLog().id,
  since: 0,
  follow: true,
  policy: received(1),
  filter: FILTER,
  table: { capacity: 65_536, records: 12 },
  address: undefined,
  wallMs: undefined,
  ...fields,
});

/** When a test's entries are appended. */
export const T0 = Date.UTC(2026, 0, 1);

/** An answer by the log of tests. */
export const answered = (answer: object): Watched => ({
  outcome: "answered",
  answer: { log: new MemoryLog().id, ...answer } as never,
});
export const saying = (cursor: number, revoked: string[], refresh: string[] = []): Watched =>
  answered({ cursor, revoked, refresh });

export const nobodyHangsUp = (): AbortSignal => new AbortController().signal;

/** Resolves once everything that is under way without time passing is done. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

/** What a watch has been answered so far, undefined while it is held. */
export async function answerOf(watched: Promise<Watched>): Promise<Watched | undefined> {
  await settled();
  return Promise.race([watched, Promise.resolve(undefined)]);
}
