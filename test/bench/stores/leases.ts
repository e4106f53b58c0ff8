// Leases of many sessions of a fleet plan: asks a second over each store, with one control plane and with two, and what the
// store's server does for each.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { Failure } from "../../../scripts/failure.js";
import type { Section } from "../stand/section.js";
import { quantile } from "../stand/quantile.js";
import type { Bench } from "./bench.js";
import { emptied, filledStores, nameOf } from "./filled.js";
import type { FilledStore } from "./filled.js";
import { ASKS_OF_CALL, INSTANCES, LeaseAsks } from "./lease-asks.js";
import { run, summaryOf } from "./runs.js";
import type { Run } from "./runs.js";
import { operationsOf } from "./server-operations.js";

const SESSIONS = 10_000;
const POLICY = "version: 1\nplans:\n  - { id: 0, name: default, scope: fleet, maxTokens: 100, tokenRefillRate: 100 }\n";
/** Calls under way at a time. */
const CALLS = 4;
const WARM_CALLS = 120;
const WARM_REST_MS = 500;
/** After the sessions were brought into the store nothing is granted for 3 s. */
const MOST_WARM_UPS = 60;
const COLUMNS = [
  ...["", "asks/s", "calls/s", "p50 ms", "p99 ms", "store's operations/s", "an ask", "scripts a call"],
  ...["CPU µs an ask", "server's", "conflicts ‰", "granted"],
];

interface LeaseRun extends Run {
  /** By the store's server; NaN where there is none. */
  readonly operations: number;
  readonly scripts: number;
  /** Of the asks, those that got tokens. */
  readonly granted: number;
}

interface Variant {
  readonly filled: FilledStore;
  readonly asks: LeaseAsks;
  readonly runs: LeaseRun[];
}

/** Of each store in turn and back. */
export async function leases(bench: Bench): Promise<Section[]> {
  const policyFile = join(bench.folder, "fleet-policy.yaml");
  writeFileSync(policyFile, POLICY);
  const stores = await filledStores({ ...bench, policyFile }, SESSIONS, INSTANCES);
  const asked = stores.map((filled) => ({ filled, asks: new LeaseAsks(bench, filled.ids) }));
  const one = await section(bench, asked);
  for (const { more } of stores) await more();
  const two = await section(
    bench,
    asked.filter(({ filled }) => filled.planes.length > 1),
  );
  await emptied(stores);
  return [one, two];
}

async function section(bench: Bench, asked: readonly Omit<Variant, "runs">[]): Promise<Section> {
  const variants = asked.map((one): Variant => ({ ...one, runs: [] }));
  const rounds = bench.quick ? 1 : 4;
  for (const variant of variants) await warm(variant);
  for (let round = 1; round <= rounds; round++) {
    bench.say(`leases, round ${round} of ${rounds}, ${variants.map(({ filled }) => nameOf(filled)).join(", ")}`);
    for (const variant of [...variants, ...variants.toReversed()])
      variant.runs.push(await leaseRun(variant, bench.quick ? 60 : 120));
  }
  return sectionOf(bench, variants);
}

/** Until every ask has a number that counts, and gets what it may get. */
async function warm(variant: Variant): Promise<void> {
  for (let i = 0; i < MOST_WARM_UPS; i++) {
    const { granted } = await leaseRun(variant, WARM_CALLS, true);
    if (granted === WARM_CALLS * ASKS_OF_CALL) return;
    await delay(WARM_REST_MS);
  }
  throw new Failure(`not all sessions get tokens of ${nameOf(variant.filled)}`);
}

async function leaseRun({ filled, asks }: Variant, requests: number, isWarmUp = false): Promise<LeaseRun> {
  const { server } = filled.store;
  const before = await operationsOf(server);
  const operation = { name: "lease", connections: CALLS, requests, alone: 0, load: () => asks.load() };
  const made = await run(operation, filled, false);
  const after = await operationsOf(server);
  const { granted, renumbered } = asks.taken();
  if (renumbered > 0 && !isWarmUp) throw new Failure(`${renumbered} asks were of a former number`);
  return { ...made, granted, operations: after.all - before.all, scripts: after.scripts - before.scripts };
}

function sectionOf(bench: Bench, variants: readonly Variant[]): Section {
  const figures: Record<string, number> = {};
  const shared = variants.some(({ filled }) => filled.planes.length > 1);
  const rows = variants.map(({ filled, runs }) => {
    const of = figuresOf(runs);
    const name = `leases.${filled.store.figure}${filled.planes.length}`;
    for (const [figure, value] of Object.entries(of)) if (!Number.isNaN(value)) figures[`${name}.${figure}`] = value;
    return rowOf(nameOf(filled), of);
  });
  return {
    title: `Leases, ${SESSIONS} sessions of a fleet plan, ${shared ? "two control planes" : "one control plane"}`,
    method:
      `${CALLS} calls under way at a time, of ${INSTANCES} instances in turn, about ${ASKS_OF_CALL} sessions each, in another order at each ` +
      `instance. Medians of ${bench.quick ? 2 : 8} runs. Operations: all that the server counts, those within scripts too.`,
    columns: COLUMNS,
    ...{ rows, figures },
  };
}

function figuresOf(runs: readonly LeaseRun[]) {
  const { perSecond, p50Ms, p99Ms, planeCpuUs, serverCpuUs, conflicts } = summaryOf(runs);
  const median = (of: (one: LeaseRun) => number): number => quantile(runs.map(of), 0.5);
  return {
    ...{ asksPerSecond: perSecond * ASKS_OF_CALL, callsPerSecond: perSecond, p50Ms, p99Ms, conflicts },
    operationsPerSecond: median(({ operations, wallMs }) => (operations * 1000) / wallMs),
    operationsPerAsk: median(({ operations, requests }) => operations / requests / ASKS_OF_CALL),
    scriptsPerCall: median(({ scripts, requests }) => scripts / requests),
    planeCpuUs: planeCpuUs / ASKS_OF_CALL,
    serverCpuUs: serverCpuUs / ASKS_OF_CALL,
    grantedShare: median(({ granted, requests }) => granted / requests / ASKS_OF_CALL),
  };
}

function rowOf(name: string, of: ReturnType<typeof figuresOf>): string[] {
  const shown = (value: number, digits: number): string => (Number.isNaN(value) ? "" : value.toFixed(digits));
  return [
    ...[name, shown(of.asksPerSecond, 0), shown(of.callsPerSecond, 1), shown(of.p50Ms, 1), shown(of.p99Ms, 1)],
    ...[shown(of.operationsPerSecond, 0), shown(of.operationsPerAsk, 2), shown(of.scriptsPerCall, 2)],
    ...[shown(of.planeCpuUs, 1), shown(of.serverCpuUs, 1), shown(of.conflicts, 1)],
    `${(100 * of.grantedShare).toFixed(1)} %`,
  ];
}
