// Watches over a log and a clock that a test holds in its hands, and edges that call them.
import { EdgeInstances } from "../../src/app/edge-instances.js";
import type { WithdrawalLog } from "../../src/app/log-ports.js";
import type { Watched, WatchOutcome, WatchRequest } from "../../src/app/watch-ports.js";
import { Watches } from "../../src/app/watches.js";
import { FixedClock } from "./fixed-clock.js";
import { ManualTimers } from "./manual-timers.js";
import { MemoryLog } from "./memory-log.js";

export interface WatchingLog<Log extends WithdrawalLog> {
  readonly log: Log;
  readonly clock: FixedClock;
  readonly timers: ManualTimers;
  readonly instances: EdgeInstances;
  readonly watches: Watches;
  /** What watches came to, in order. */
  readonly outcomes: WatchOutcome[];
  /** Propagation times, ms. */
  readonly propagated: number[];
  readonly logged: object[];
}

export function watchesOver<Log extends WithdrawalLog>(log: Log, maxHeld = 100): WatchingLog<Log> {
  const clock = new FixedClock();
  const timers = new ManualTimers(clock);
  const instances = new EdgeInstances(clock);
  const outcomes: WatchOutcome[] = [];
  const propagated: number[] = [];
  const logged: object[] = [];
  const note = (fields: object): void => void logged.push(fields);
  const meter = {
    watchEnded: (outcome: WatchOutcome) => void outcomes.push(outcome),
    propagated: (ms: number) => void propagated.push(ms),
  };
  const logger = { debug: note, info: note, warn: note, error: note };
  const watches = new Watches({ log, clock, timers, instances, meter, logger, maxHeld });
  return { log, clock, timers, instances, watches, outcomes, propagated, logged };
}

export const watchingMemory = (maxHeld?: number): WatchingLog<MemoryLog> => watchesOver(new MemoryLog(), maxHeld);

/** A request of one edge; by default of `gw-1` from the beginning of the log of tests. */
export const request = (fields: Partial<WatchRequest> = {}): WatchRequest => ({
  edge: "gw-1",
  instance: "00112233aabbccdd",
  log: new MemoryLog().id,
  since: 0,
  generation: 1,
  policyHash: "0123456789abcdef",
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
