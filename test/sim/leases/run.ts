// Many runs of the simulation of leases: `npm run sim:leases -- --runs 10000 --seed 1`. The first finding ends it, unless
// `--all` says to go on.
import { parseArgs } from "node:util";
import { describeFinding } from "../simulate.js";
import { LeaseSimulation } from "./simulate-leases.js";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    steps: { type: "string", default: "700" },
    all: { type: "boolean", default: false },
  },
});
const [runs, first, steps] = [Number(values.runs), Number(values.seed), Number(values.steps)];
const simulation = new LeaseSimulation();
const startedMs = performance.now();
let found = 0;
for (let seed = first; seed < first + runs; seed++) {
  const finding = await simulation.run(seed, steps);
  if (finding === undefined) continue;
  found += 1;
  if (values.all) console.log(`seed ${seed}, step ${finding.step}: ${finding.message}`);
  else {
    console.log(describeFinding(finding));
    break;
  }
}
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
if (found > 0) process.exitCode = 1;
else console.log(`${runs} runs of ${steps} steps from seed ${first}: every invariant held (${seconds} s)`);
