// Measures a sweep of many ended sessions: how long it holds up the event loop, and acquires that go on meanwhile.
//   npm run measure:sweep -- [sessions] [expired | idle]
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import { acquireSession } from "../../../control-plane/src/app/edges/acquire-session.js";
import { DroppedRows } from "../../../control-plane/src/app/edges/dropped-rows.js";
import { EdgeRegistry } from "../../../control-plane/src/app/edges/status/edge-registry.js";
import type { SteadyClock } from "../../../control-plane/src/app/ports/ports.js";
import { publishedPolicy } from "../../../control-plane/src/app/policy/published-policy.js";
import { sweepSessions } from "../../../control-plane/src/app/upkeep/sweep-sessions.js";
import { usageCommits } from "../../../control-plane/src/app/edges/usage.js";
import type { UsagePorts } from "../../../control-plane/src/app/edges/usage.js";
import type { PlanOfPolicy } from "../../../control-plane/src/domain/plan.js";
import { newSessionId, SESSION_ID_RANDOM_BYTES } from "../../../control-plane/src/domain/session-id.js";
import { createSession } from "../../../control-plane/src/domain/session.js";
import type { Session } from "../../../control-plane/src/domain/session.js";
import { LmdbStore } from "../../../control-plane/src/store/lmdb/store.js";
import { quietLeases } from "../../../control-plane/test/support/leases.js";
import { storeSessions } from "./store-sessions.js";

const HOUR_MS = 3_600_000;
const LIVE_SESSIONS = 1000;
const ACQUIRE_EVERY_MS = 5;
const random = { bytes: (n: number) => randomBytes(n) };
const INSTANCE = { edge: "gw-1", instance: "00112233aabbccdd" };

const plan: PlanOfPolicy = {
  id: 0,
  name: "default",
  maxTokens: 100,
  tokenRefillRate: 10,
  refill: null,
  limits: [],
  maxAge: HOUR_MS,
  lifetime: 24 * HOUR_MS,
  tokenBudget: null,
  scope: "edge",
  maxSessionsPerUser: null,
  onMaxSessions: "refuse",
};
const policy = { plans: [plan], controlPlane: { reportInterval: 5000 }, sessions: { cleanupInterval: 60_000 } };

/** Wall times in ms, of which a few are printed. */
class Sample {
  private readonly values: number[] = [];

  add(ms: number): void {
    this.values.push(ms);
  }

  toString(): string {
    const sorted = Float64Array.from(this.values).sort();
    const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(2);
    return `n ${sorted.length}, p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, max ${at(1)} ms`;
  }
}

/** Sessions made one after the other from a time on, a hundred a ms, and never active again. Answers their ids. */
function fill({ db }: LmdbStore, count: number, fromMs: number): Promise<string[]> {
  const make = (i: number): Session => {
    const createdAtMs = fromMs + Math.floor(i / 100);
    const id = newSessionId(createdAtMs, random.bytes(SESSION_ID_RANDOM_BYTES));
    return createSession({ id, userId: `u${Math.floor(i / 10)}`, orgId: "o1", metadata: {} }, plan, createdAtMs);
  };
  const { edge, instance } = INSTANCE;
  return storeSessions(db, count, make, ({ id, createdAt }) => {
    void db.usage.put([id, edge, instance], { acquiredAtMs: createdAt + 1, figures: null });
  });
}

/** Time that this thread has had a core, ms; 0 where the system does not tell. On a busy machine wall time says more. */
function threadCpuMs(): number {
  try {
    const [onCpuNs = "0"] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ");
    return Number(onCpuNs) / 1e6;
  } catch {
    return 0;
  }
}

/** Calls back about each millisecond with how long it was, and how much of that the event loop worked. */
function watchLoop(tick: (wallMs: number, cpuMs: number) => void): () => void {
  let last = { wallMs: performance.now(), cpuMs: threadCpuMs() };
  const timer = setInterval(() => {
    const now = { wallMs: performance.now(), cpuMs: threadCpuMs() };
    tick(now.wallMs - last.wallMs, now.cpuMs - last.cpuMs);
    last = now;
  }, 1);
  return () => {
    clearInterval(timer);
  };
}

const PUBLISHED = publishedPolicy({ generation: 1, policy, policyJson: "{}", sinceMs: 0, decidedAtMs: null });

function portsOver(store: LmdbStore, clock: SteadyClock): UsagePorts {
  const policies = { current: () => ({ generation: 1, policy }) };
  const nothing = (): void => undefined;
  const usageMeter = { reported: nothing, tokensConsumed: nothing, rowDropped: nothing, swept: nothing };
  const meter = { sessionCreated: () => undefined, sessionRemoved: () => undefined, acquired: () => undefined };
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: console.error };
  const droppedRows = new DroppedRows({ clock, logger: quiet, meter: usageMeter });
  return {
    store,
    operator: store.operator,
    audit: store.audit,
    usage: store.usage,
    instances: new EdgeRegistry({ clock, policies }),
    commits: usageCommits(store, policies, usageMeter, droppedRows),
    droppedRows,
    ...quietLeases({ updates: store, policies, clock, logger: quiet }),
    usageMeter,
    policies: { ...policies, published: () => PUBLISHED },
    clock,
    random,
    logger: quiet,
    meter,
    makeToken: () => "",
  };
}

async function measure(store: LmdbStore, count: number, kind: "expired" | "idle"): Promise<void> {
  // The process seems to have been listening for long, so that it may know a session to be idle.
  let listenedMs = 0;
  const clock = {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now() + listenedMs,
    elapsedMs: (sinceMs: number) => Date.now() - sinceMs,
    endsNotBeforeMs: () => -Infinity,
    isSettled: () => true,
  };
  const ports = portsOver(store, clock);
  listenedMs = 10 * HOUR_MS;
  const nowMs = clock.nowMs();
  const agoMs = kind === "expired" ? 30 * HOUR_MS : 3 * HOUR_MS;
  console.log(`making ${count} sessions that are ${kind}`);
  await fill(store, count, nowMs - agoMs);
  const live = await fill(store, LIVE_SESSIONS, nowMs - 1000);

  const gaps = new Sample();
  const busy = new Sample();
  const acquires = new Sample();
  const swept = new AbortController();
  const stopWatching = watchLoop((wallMs, cpuMs) => {
    gaps.add(wallMs);
    busy.add(cpuMs);
  });
  const acquiring = (async () => {
    for (let i = 0; !swept.signal.aborted; i++) {
      const startedMs = performance.now();
      await acquireSession(ports, live[i % LIVE_SESSIONS] ?? "", INSTANCE);
      acquires.add(performance.now() - startedMs);
      await sleep(ACQUIRE_EVERY_MS);
    }
  })();
  const startedMs = performance.now();
  const result = await sweepSessions(ports, () => false);
  const tookS = (performance.now() - startedMs) / 1000;
  swept.abort();
  stopWatching();
  await acquiring;
  console.log(`swept in ${tookS.toFixed(1)} s: removed ${result?.removed ?? 0}, remaining ${result?.remaining ?? 0}`);
  console.log(`event loop, between two ticks of 1 ms: ${gaps.toString()}`);
  console.log(`of that at work: ${busy.toString()}`);
  console.log(`acquires meanwhile: ${acquires.toString()}`);
}

const [sessions = "1000000", kind = "expired"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
const store = await LmdbStore.open(folder, random);
try {
  await measure(store, Number(sessions), kind === "idle" ? "idle" : "expired");
} finally {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
}
