// Several control planes over one store in memory, as far as they know edges, each with a clock that a test moves.
import { onTestFinished } from "vitest";

import { Confirmations } from "../../src/app/edges/confirmations.js";
import { OtherProcesses } from "../../src/app/edges/processes/other-processes.js";
import { edgesPage } from "../../src/app/edges/status/edge-pages.js";
import type { EdgeView } from "../../src/app/edges/status/edge-views.js";
import { EdgeRegistry } from "../../src/app/edges/status/edge-registry.js";
import { startStatusRecorder } from "../../src/app/edges/status/status-recorder.js";
import { Watches } from "../../src/app/edges/watches.js";
import type { Reported } from "../../src/app/ports/edge-ports.js";
import type { EdgeStatus, EdgeStatusStore } from "../../src/app/ports/edge-status-ports.js";
import { StoreUnwritable } from "../../src/app/ports/store-health.js";
import type { LogPosition } from "../../src/domain/stored.js";
import { MemoryLog } from "../../src/store/memory/invalidation-log.js";
import { MemoryStatuses } from "../../src/store/memory/shared-edge-status.js";
import { FixedClock } from "./fixed-clock.js";
import { ManualTimers } from "./manual-timers.js";
import { PoliciesInForce } from "./policies-in-force.js";
import { POLICY, request, settled } from "./watching.js";

export const INSTANCE = request().instance;
export const OF = { edge: "gw-1", instance: INSTANCE };
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;

/** What all of them share. */
export class SharedStore {
  readonly statuses = new MemoryStatuses();
  readonly log = new MemoryLog();
  /** The store's log is another one from now on. */
  logId = this.log.id;
  /** Nobody can read or write it. */
  isAway = false;
  /** Processes whose writes it does not take. */
  readonly refused = new Set<string>();
  /** Of statuses, of cursors, and beats. */
  readonly writes = { statuses: 0, cursors: 0, beats: 0 };
  /** Hears of each question for the log's position. */
  asked: () => void = () => undefined;
  /** Hears of each write of statuses. */
  written: (statuses: readonly EdgeStatus[]) => void = () => undefined;

  of(process: string): EdgeStatusStore & { shared: NonNullable<EdgeStatusStore["shared"]> } {
    const store = this.statuses.of(process);
    const { shared } = store;
    if (shared === undefined) throw new Error("it is shared");
    const asked = <Answer>(ask: () => Promise<Answer>): Promise<Answer> =>
      this.isAway ? Promise.reject(new Error("the store is away")) : ask();
    const written = (write: () => Promise<void>): Promise<void> =>
      this.refused.has(process) ? Promise.reject(new StoreUnwritable("it is full")) : asked(write);
    return {
      all: () => asked(() => store.all()),
      write: (changed, gone) => {
        this.writes.statuses += changed.length + gone.length;
        this.written(changed);
        return written(() => store.write(changed, gone));
      },
      shared: {
        process,
        changedAfter: (...after) => asked(() => shared.changedAfter(...after)),
        noteCursors: (cursors) => {
          this.writes.cursors += 1;
          return written(() => shared.noteCursors(cursors));
        },
        beat: (...beat) => {
          this.writes.beats += 1;
          return written(() => shared.beat(...beat));
        },
        forget: (other) => written(() => shared.forget(other)),
      },
    };
  }

  position(): Promise<LogPosition> {
    this.asked();
    if (this.isAway) return Promise.reject(new Error("the store is away"));
    return Promise.resolve({ ...this.log.now(), log: this.logId });
  }
}

export type ControlPlane = Awaited<ReturnType<typeof started>>;

/** One more of them. `skewMs`: how far its wall clock is from the others'. */
export async function started(store: SharedStore, name: string, atMs: number, skewMs = 0) {
  const clock = new FixedClock(atMs);
  clock.step(skewMs);
  const timers = new ManualTimers(clock);
  const policies = new PoliciesInForce(clock, POLICY);
  const logged: object[] = [];
  const note = (fields: object): void => void logged.push(fields);
  const logger = { debug: note, info: note, warn: note, error: note };
  const instances = new EdgeRegistry({ clock, policies });
  const statuses = store.of(name);
  const parts = { registry: instances, clock, timers, logger };
  const others = new OtherProcesses({ ...parts, shared: statuses.shared, log: store });
  await others.start();
  const stopRecorder = startStatusRecorder({ ...parts, store: statuses, stored: [], others });
  const propagated: number[] = [];
  const meter = { watchEnded: () => undefined, propagated: (ms: number) => void propagated.push(ms) };
  const watches = new Watches({ log: store.log, policies, clock, timers, instances, meter, logger });
  const confirmations = new Confirmations(instances, timers, others);
  const gone = new AbortController();
  onTestFinished(() => {
    gone.abort();
  });
  const page = async (): Promise<readonly EdgeView[]> =>
    (await edgesPage({ instances, policies, log: store.log, clock }, "", 1_000)).edges;
  return {
    ...{ name, clock, timers, policies, logged, instances, others, watches, confirmations, propagated, page },
    /** Holds a watch; the answer hangs up. */
    watch: (fields: Parameters<typeof request>[0] = {}): (() => void) => {
      const client = new AbortController();
      void watches.watch(request(fields), AbortSignal.any([client.signal, gone.signal]));
      return () => {
        client.abort();
      };
    },
    report: (worker: string, fields: Partial<Reported> & { of?: typeof OF } = {}): void => {
      const { of = OF, ...said } = fields;
      instances.reported(of, { worker, more: false, arrivedAtMs: clock.monotonicMs(), ...said });
    },
    stop: async (): Promise<void> => {
      await stopRecorder();
      await others.stop();
    },
  };
}

/** Time passes for these, in steps, and all that falls due in it is done. `each` happens before each step. */
export async function pass(
  ms: number,
  planes: readonly ControlPlane[],
  stepMs = SECOND_MS,
  each: () => void = () => undefined,
): Promise<void> {
  await settled();
  for (let passed = 0; passed < ms; passed += stepMs) {
    each();
    await settled();
    for (const { timers } of planes) timers.advance(Math.min(stepMs, ms - passed));
    await settled();
  }
}

/** Two of them, over an empty store. */
export async function two(skewMs = 0) {
  const store = new SharedStore();
  const atMs = Date.UTC(2026, 0, 1);
  const one = await started(store, "one", atMs);
  const other = await started(store, "other", atMs, skewMs);
  const both = [one, other] as const;
  await pass(SECOND_MS, both);
  return { store, one, other, both };
}
