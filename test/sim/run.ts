// Many runs of the simulation: `npm run sim -- --runs 10000 --seed 1`. The first finding ends it.
import { parseArgs } from "node:util";
import { describeFinding, Simulation } from "./simulate.js";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    steps: { type: "string", default: "1500" },
  },
});
const [runs, first, steps] = [Number(values.runs), Number(values.seed), Number(values.steps)];
const simulation = await Simulation.prepared();
const startedMs = performance.now();
for (let seed = first; seed < first + runs; seed++) {
  const finding = await simulation.run(seed, steps);
  if (finding !== undefined) {
    console.log(describeFinding(finding));
    process.exit(1);
  }
}
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
console.log(`${runs} runs of ${steps} steps from seed ${first}: every invariant held (${seconds} s)`);
