// Control planes over one store, on machines whose wall clocks differ; the store has a clock of its own.
import { randomBytes } from "node:crypto";

import { acquireSession } from "../../src/app/edges/acquire-session.js";
import { DroppedRows } from "../../src/app/edges/dropped-rows.js";
import { reportUsage } from "../../src/app/edges/report-usage.js";
import { EdgeRegistry } from "../../src/app/edges/status/edge-registry.js";
import { usageCommits } from "../../src/app/edges/usage.js";
import type { UsagePorts } from "../../src/app/edges/usage.js";
import { issueSession } from "../../src/app/sessions/issue-session.js";
import { followStoreTime, SharedClock } from "../../src/app/upkeep/shared-clock.js";
import { SteadyTime } from "../../src/app/upkeep/steady-clock.js";
import { sweepSessions } from "../../src/app/upkeep/sweep-sessions.js";
import type { Timers } from "../../src/app/ports/log-ports.js";
import type { Clock } from "../../src/app/ports/ports.js";
import type { StoreTime } from "../../src/app/ports/store-time.js";
import type { Stores } from "../../src/app/ports/stores.js";
import type { PlanOfPolicy } from "../../src/domain/plan.js";
import { Metrics } from "../../src/http/status/metrics.js";
import { UsageMetrics } from "../../src/http/status/usage-metrics.js";
import { MemoryStore } from "../../src/store/memory/store.js";
import { FixedClock } from "./fixed-clock.js";
import { quietLeases } from "./leases.js";
import { ManualTimers } from "./manual-timers.js";
import { PoliciesInForce } from "./policies-in-force.js";
import { quiet } from "./quiet-logger.js";
import { REPORTING } from "./sessions.js";

const START_MS = Date.UTC(2026, 0, 1);
export const ASKER = { edge: "gw-1", instance: "a".repeat(16) };

/** One control plane: what its machine's clock says, and the calls that tests make. */
export interface Plane {
  readonly machine: FixedClock;
  readonly time: SteadyTime;
  readonly issue: (userId: string) => Promise<string>;
  readonly acquire: (id: string, asker?: typeof ASKER) => ReturnType<typeof acquireSession>;
  readonly report: (id: string, levelMicro: number, rev: number) => Promise<unknown>;
  readonly sweep: () => Promise<unknown>;
}

export interface PlanesOfOneStore {
  readonly store: MemoryStore;
  readonly storeClock: FixedClock;
  readonly planes: readonly [Plane, Plane];
  /** Time passes for all, a second at a time; every control plane asks the store for its time each second. */
  readonly pass: (ms: number) => Promise<void>;
}

/** @param aheadMs by how much each control plane's machine is ahead of the store's clock */
export async function planesOfOneStore(plan: PlanOfPolicy, ...aheadMs: [number, number]): Promise<PlanesOfOneStore> {
  const storeClock = new FixedClock(START_MS);
  const store = new MemoryStore();
  const [first, second] = aheadMs;
  const one = await planeOver(store, storeClock, plan, first);
  const other = await planeOver(store, storeClock, plan, second);
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 1000) {
      const stepMs = Math.min(left, 1000);
      storeClock.advance(stepMs);
      for (const { timers } of [one, other]) timers.advance(stepMs);
      for (let turns = 0; turns < 5; turns++) await Promise.resolve();
    }
  };
  return { store, storeClock, planes: [one, other], pass };
}

async function planeOver(store: MemoryStore, storeClock: FixedClock, plan: PlanOfPolicy, aheadMs: number) {
  // Each machine counts its monotonic time from another moment.
  const machine = new FixedClock(1000 + Math.abs(aheadMs));
  machine.step(storeClock.nowMs() + aheadMs - machine.nowMs());
  const timers = new ManualTimers(machine);
  const storeTime = { timeMs: () => Promise.resolve(storeClock.nowMs()) };
  const { time, calls } = await planeOn({ store, storeTime, machine, timers, plan });
  return { machine, time, timers, ...calls };
}

export interface PlaneParts {
  readonly store: Stores;
  readonly storeTime: StoreTime;
  readonly machine: Clock;
  readonly timers: Timers;
  readonly plan: PlanOfPolicy;
}

/** A control plane on a machine with a clock of its own, once it goes by the store's. */
export async function planeOn({ store, storeTime, machine, timers, plan }: PlaneParts) {
  const policies = new PoliciesInForce(machine, { ...REPORTING, plans: [plan] });
  const shared = new SharedClock({ machine, logger: quiet });
  const time = new SteadyTime({ machine: shared, logger: quiet, policies });
  const ends = [time.follow(timers), await followStoreTime({ shared, steady: time, storeTime, timers })];
  const end = (): void => {
    for (const one of ends) one();
  };
  const ports = portsOver(store, policies, time);
  return { time, end, instances: ports.instances, calls: callsOf(ports) };
}

function portsOver(store: Stores, policies: PoliciesInForce, time: SteadyTime): UsagePorts {
  const metrics = new Metrics(() => Promise.resolve(new Map()));
  const usageMeter = new UsageMetrics(metrics.registry);
  const droppedRows = new DroppedRows({ clock: time, logger: quiet, meter: usageMeter });
  return {
    ...{ store, operator: store.operator, audit: store.audit, usage: store.usage },
    ...{ policies, clock: time, logger: quiet, meter: metrics, usageMeter, droppedRows },
    commits: usageCommits(store, policies, usageMeter, droppedRows),
    ...quietLeases({ updates: store, policies, clock: time, logger: quiet }),
    instances: new EdgeRegistry({ clock: time, policies, workerReported: () => undefined }),
    random: { bytes: (n) => randomBytes(n) },
    makeToken: (sessionId) => sessionId,
  };
}

function callsOf(ports: UsagePorts): Pick<Plane, "issue" | "acquire" | "report" | "sweep"> {
  const caller = { issuer: "operator", plan: undefined, metadata: {} };
  return {
    issue: async (userId) => {
      const issued = await issueSession(ports, { ...caller, userId, orgId: "o1" });
      if (issued.outcome !== "issued") throw new Error(issued.outcome);
      return issued.session.id;
    },
    acquire: (id, asker = ASKER) => acquireSession(ports, id, asker),
    report: (sessionId, levelMicro, rev) => {
      const rows = [{ sessionId, rev, consumed: 100, levelMicro, idleMs: 0 }];
      return reportUsage(ports, { ...ASKER, worker: "0", rows, malformed: [], more: false });
    },
    sweep: () => sweepSessions(ports, () => false),
  };
}
