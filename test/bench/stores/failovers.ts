// What a failover by Sentinel loses, and how long it lasts: the primary is killed under load, and its replica takes over.
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import { nodeTimers } from "../../../control-plane/src/files/node-timers.js";
import { createRedisStore } from "../../../control-plane/src/store/redis/create-store.js";
import { FELLOWS, SentinelSet } from "../../../control-plane/test/support/servers/sentinel-set.js";
import { Failure } from "../../../scripts/failure.js";
import { waitForStatus } from "../../../scripts/start/readiness.js";
import { findServer } from "../../../scripts/test/get-store-servers.js";
import type { Section } from "../stand/section.js";
import type { Bench } from "./bench.js";
import { Creations } from "./creations.js";
import { counted, startPlane } from "./planes.js";
import type { Plane } from "./planes.js";
import { serverAddress, SHARED_NAMES } from "./stores.js";
import type { SharedName } from "./stores.js";

const LOST = "sluice_control_store_commits_lost_total";
const SENTINEL = { downAfterMs: 1000, failoverTimeoutMs: 10_000 };
/** Of load before the primary is killed, and after the other one has taken over. */
const LOAD_MS = 2000;
const READY = { timeoutMs: 60_000 };
const COLUMNS = [
  "",
  "created a second",
  "lost: least",
  "median",
  "most",
  "said: most",
  "break s: least",
  "median",
  "most",
];

interface Variant {
  readonly said: string;
  readonly figure: string;
  readonly replicas: number;
  /** From the primary to its replica, each way. 0: the process is killed, and what it has sent still arrives. */
  readonly awayMs: number;
}

const AWAY_MS = 5;
const VARIANTS: readonly Variant[] = [
  { said: "process killed, replicas 0", figure: "killed0", replicas: 0, awayMs: 0 },
  { said: "machine lost, replicas 0", figure: "lost0", replicas: 0, awayMs: AWAY_MS },
  { said: "machine lost, replicas 1", figure: "lost1", replicas: 1, awayMs: AWAY_MS },
];

interface Outcome {
  readonly perSecond: number;
  /** Sessions whose 201 was there, and which the store does not have. */
  readonly lost: number;
  /** Commits, as the control plane that lost the most has said. */
  readonly said: number;
  readonly breakSeconds: number;
}

export async function failovers(bench: Bench): Promise<Section[]> {
  const times = bench.quick ? 3 : 10;
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  for (const name of SHARED_NAMES)
    for (const variant of VARIANTS) {
      const outcomes = await failedOver(bench, name, variant, times);
      const of = (figure: (one: Outcome) => number): Spread => spreadOf(outcomes.map(figure));
      const [rate, lost, said, lasted] = [
        of((one) => one.perSecond),
        of((one) => one.lost),
        of((one) => one.said),
        of((one) => one.breakSeconds),
      ];
      rows.push([
        `${name}, ${variant.said}`,
        rate.median.toFixed(0),
        ...[lost.least, lost.median, lost.most, said.most].map((count) => count.toFixed(0)),
        ...[lasted.least, lasted.median, lasted.most].map((seconds) => seconds.toFixed(2)),
      ]);
      const figure = `failovers.${name === "Redis 7" ? "redis" : "valkey"}.${variant.figure}`;
      figures[`${figure}.lostMost`] = lost.most;
      figures[`${figure}.breakSecondsMedian`] = lasted.median;
    }
  return [
    {
      title: `A primary is killed, and Sentinel makes its replica the primary: ${times} times each`,
      method:
        `Two control planes, sessions issued all the time; down-after-milliseconds ${SENTINEL.downAfterMs}, all else as Sentinel has it. ` +
        `Replicas: SLUICE_STORE_REPLICAS. A machine that is lost takes with it what is under way to its replica, ${AWAY_MS} ms away. ` +
        "Lost: sessions that were answered 201 and are not there. Break: the longest time without a 201.",
      columns: COLUMNS,
      ...{ rows, figures },
    },
  ];
}

async function failedOver(bench: Bench, name: SharedName, variant: Variant, times: number): Promise<Outcome[]> {
  const found = await findServer(name);
  if ("reason" in found) throw new Failure(found.reason);
  const lasting = { appendonly: true, appendfsync: "always" } as const;
  const set = await SentinelSet.start(found.program, { server: lasting, ...SENTINEL });
  bench.atEnd(() => set.remove());
  const address = serverAddress(set.members[0].server.port);
  await createRedisStore(address, { bytes: (n) => randomBytes(n) }, nodeTimers);
  const env = { SLUICE_STORE: set.url, SLUICE_STORE_REPLICAS: String(variant.replicas) };
  const planes: Plane[] = [];
  for (const of of ["a", "b"]) {
    planes.push(await startPlane(bench, `failover-${address.hosts[0]?.port ?? 0}-${of}`, env));
  }
  const outcomes: Outcome[] = [];
  for (let i = 1; i <= times; i++) {
    bench.say(`failover ${i} of ${times} of ${name}, ${variant.said}`);
    outcomes.push(await once(bench, set, planes, variant));
  }
  for (const plane of planes) await plane.stop();
  await set.remove();
  return outcomes;
}

async function once(bench: Bench, set: SentinelSet, planes: readonly Plane[], { awayMs }: Variant): Promise<Outcome> {
  const saidBy = (): Promise<number[]> => Promise.all(planes.map((plane) => counted(plane, LOST)));
  const before = await saidBy();
  const primary = await set.primary();
  primary.proxy.delay(awayMs, ...FELLOWS);
  await set.look("byThemselves");
  const creations = new Creations(bench, planes);
  await delay(LOAD_MS);
  const perSecond = (creations.acknowledged.length * 1000) / LOAD_MS;
  if (awayMs > 0) primary.proxy.partition();
  await primary.server.kill();
  await set.failedOver(primary);
  primary.proxy.resume();
  await set.look("often");
  await primary.server.restart();
  await set.complete();
  for (const { statusPort } of planes) await waitForStatus(`http://127.0.0.1:${statusPort}/readyz`, 200, READY);
  await delay(LOAD_MS);
  await creations.stop();
  const after = await saidBy();
  return {
    perSecond,
    lost: await creations.missing(),
    said: Math.max(...after.map((said, i) => said - (before[i] ?? 0))),
    breakSeconds: creations.longestBreakMs() / 1000,
  };
}

interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? NaN;
  return { least: at(0), median: at(Math.floor((sorted.length - 1) / 2)), most: at(sorted.length - 1) };
}
