// npm run measure:policy [-- changes]: how long a change of the policy takes to the last worker, how long it stalls a
// worker that takes 1,000 plans, and up to which rate an Envoy that starts answers no 503. Prints tables.
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, Failure } from "../../../scripts/failure.js";
import { findEnvoy } from "../../../scripts/get-envoy.js";
import { measureFirstMoments } from "./measure-first-moment.js";
import { measureStalls } from "./measure-stall.js";
import { MeasuredPlane, measuredPolicy } from "./measured-plane.js";
import { type PropagationStack, startPropagationStack, WORKERS } from "./propagation-stack.js";
import { Stack } from "../../../scripts/start/stack.js";

const DEFAULT_CHANGES = 200;
/** So that what one change leaves to do is not measured with the next. */
const BETWEEN_CHANGES_MS = 300;
const POLL_MS = 5;
const TAKEN_WITHIN_MS = 30_000;
const HISTOGRAM = "sluice_control_policy_propagation_seconds";
/** Beside the workers the main thread has a VM that ticks and reports. */
const VMS = WORKERS + 1;

async function main(): Promise<void> {
  const changes = Number(process.argv[2] ?? DEFAULT_CHANGES);
  if (!Number.isInteger(changes) || changes < 1) throw new Failure("expected a number of changes, from 1 on");
  const folder = mkdtempSync(join(tmpdir(), "sluice-measure-policy-"));
  const stack = new Stack();
  let done = false;
  try {
    console.log(
      `load average ${loadavg()
        .map((load) => load.toFixed(2))
        .join(" ")} before the start`,
    );
    const running = await startPropagationStack(stack, await findEnvoy(), folder);
    await measurePropagation(running, changes);
    await measureStalls(running);
    await measureFirstMoments(running);
    done = true;
  } finally {
    await stack.stop();
    if (done) rmSync(folder, { recursive: true, force: true });
    else console.error(`sluice: logs are in ${folder}`);
  }
}

/** From outside: from the rename to the first `GET /v1/edges` in which every VM of every edge runs it. */
async function measurePropagation(running: PropagationStack, changes: number): Promise<void> {
  const plane = new MeasuredPlane(running);
  const everyVm = running.edges.length * VMS;
  const generation = async (): Promise<number> => (await plane.metrics()).get("sluice_control_policy_generation") ?? 0;
  await allRun(plane, await generation(), everyVm);
  const before = await plane.metrics();
  const first = before.get("sluice_control_policy_generation") ?? 0;
  const times: number[] = [];
  for (let change = 1; change <= changes; change++) {
    const savedMs = performance.now();
    plane.save(measuredPolicy(2, change));
    await allRun(plane, first + change, everyVm);
    times.push(performance.now() - savedMs);
    await delay(BETWEEN_CHANGES_MS);
  }
  const sorted = times.sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.ceil(share * sorted.length) - 1] ?? NaN).toFixed(0);
  const counts = histogramSince(before, await plane.metrics());
  console.log(
    `\n| a change of the policy, ${running.edges.length} Envoys, ${everyVm} VMs | n | p50 ms | p99 ms | max ms |`,
  );
  console.log("| --- | ---: | ---: | ---: | ---: |");
  console.log(`| from the save to the last worker's report | ${times.length} | ${at(0.5)} | ${at(0.99)} | ${at(1)} |`);
  const [p50, p99] = [quantileOf(counts, 0.5), quantileOf(counts, 0.99)].map((s) => (s * 1000).toFixed(0));
  console.log(`| decision to each worker's report (${HISTOGRAM}) | ${counts.at(-1)?.count ?? 0} | ${p50} | ${p99} | |`);
}

async function allRun(plane: MeasuredPlane, generation: number, vms: number): Promise<void> {
  const end = performance.now() + TAKEN_WITHIN_MS;
  for (;;) {
    const edges = await plane.edges();
    const run = edges.reduce((sum, { running }) => sum + (running[generation] ?? 0), 0);
    if (run === vms && edges.every(({ state }) => state === "current")) return;
    if (performance.now() > end) throw new Failure(`generation ${generation} runs on ${run} of ${vms} VMs`);
    await delay(POLL_MS);
  }
}

interface Bucket {
  readonly upToS: number;
  /** Of it and all below. */
  readonly count: number;
}

function histogramSince(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Bucket[] {
  const buckets = [...after].flatMap(([name, count]) => {
    const [, upTo] = new RegExp(`^${HISTOGRAM}_bucket\\{le="([^"]+)"\\}$`).exec(name) ?? [];
    if (upTo === undefined) return [];
    return [{ upToS: upTo === "+Inf" ? Infinity : Number(upTo), count: count - (before.get(name) ?? 0) }];
  });
  return buckets.sort((a, b) => a.upToS - b.upToS);
}

/** As Prometheus does it: along a straight line within the bucket. */
function quantileOf(buckets: readonly Bucket[], share: number): number {
  const rank = share * (buckets.at(-1)?.count ?? NaN);
  const index = buckets.findIndex(({ count }) => count >= rank);
  const [here, below] = [buckets[index], buckets[index - 1] ?? { upToS: 0, count: 0 }];
  if (here === undefined) return NaN;
  if (here.upToS === Infinity) return below.upToS;
  return below.upToS + ((rank - below.count) / (here.count - below.count)) * (here.upToS - below.upToS);
}

await main().catch((error: unknown) => {
  console.error(`sluice: ${describe(error)}`);
  process.exitCode = 1;
});
