// npm run bench:control-plane [-- --quick] [--json FILE]: the control plane's CPU and throughput beside bare routes, and acquire through Envoy. With
// --profile FOLDER the servers leave CPU profiles there, which costs them time.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { describe, Failure } from "../../../scripts/failure.js";
import { Stack } from "../../../scripts/start/stack.js";
import { shareCores } from "./cores.js";
import { startEdge, throughEnvoy } from "./through-envoy.js";
import { measure } from "./measure.js";
import type { Plan } from "./measure.js";
import { table } from "./print.js";
import { startServers } from "./servers.js";
import { comparisons } from "./variants.js";
import type { Comparison } from "./variants.js";

const SESSIONS = 100_000;
const FULL = { rounds: 8, requests: 8000, alone: 500 };
const QUICK = { rounds: 3, requests: 3000, alone: 200 };
/** So many that a server is never without a request while a commit is on its way to the disk. */
const CONNECTIONS = 256;

const { values: options } = parseArgs({
  options: { quick: { type: "boolean" }, json: { type: "string" }, profile: { type: "string" } },
});

async function main(folder: string, stack: Stack): Promise<void> {
  if (process.platform !== "linux") throw new Failure("the benchmark reads CPU time as Linux tells it, in /proc");
  const { rounds, requests, alone } = options.quick === true ? QUICK : FULL;
  const cores = shareCores();
  console.log(`Node ${process.version}, ${SESSIONS} sessions, ${cores.note}, load average ${loadavg()[0]?.toFixed(2)}`);
  const flags = options.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${options.profile}`];
  const servers = await startServers(stack, { folder, sessions: SESSIONS, prefix: cores.serverPrefix, flags });
  const results: object[] = [];
  const show = async (comparison: Comparison, plan: Plan): Promise<void> => {
    const measured = await measure(comparison, plan);
    const load = plan.connections === 1 ? "one request at a time" : `${plan.connections} requests at a time`;
    console.log(`\n${comparison.title}\n${load}, ${2 * plan.rounds} runs of ${plan.requests} each\n${table(measured)}`);
    results.push({ title: comparison.title, ...plan, measured });
  };
  for (const comparison of comparisons(servers)) {
    await show(comparison, { rounds, requests, connections: CONNECTIONS });
    await show(comparison, { rounds, requests: alone, connections: 1 });
  }
  const edge = await startEdge(stack, servers, { folder, prefix: cores.serverPrefix });
  await show(throughEnvoy(servers, edge), { rounds, requests: alone, connections: 1 });
  if (options.json !== undefined) {
    const conditions = { node: process.version, sessions: SESSIONS, cores: cores.note, loadAverage: loadavg() };
    writeFileSync(options.json, `${JSON.stringify({ conditions, results }, null, 2)}\n`);
  }
}

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-plane-"));
const stack = new Stack();
let done = false;
try {
  await main(folder, stack);
  done = true;
} catch (error) {
  console.error(`sluice: ${describe(error)}`);
  process.exitCode = 1;
} finally {
  await stack.stop();
  if (done) rmSync(folder, { recursive: true, force: true });
  else console.error(`sluice: logs are in ${folder}`);
}
