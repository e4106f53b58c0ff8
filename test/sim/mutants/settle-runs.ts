// Many runs of requests that settle, of a build of the sources as they are: what judges the mutants of these rules. The first
// finding ends it.
import { parseArgs } from "node:util";
import { smallBuild } from "../../host/harness/settle/settle-builds.js";
import { SettleRun } from "../../host/harness/settle/settle-run.js";
import { settleSessions } from "../../host/harness/settle/settle-sessions.js";

const { values } = parseArgs({ options: { runs: { type: "string", default: "500" } } });
const build = await smallBuild();
const sessions = settleSessions();
for (let seed = 1; seed <= Number(values.runs); seed++) {
  const run = new SettleRun(seed, build, sessions);
  const finding = run.finding();
  if (finding === undefined) continue;
  console.log(`seed ${seed}: ${finding}`);
  process.exit(1);
}
console.log(`${values.runs} runs: every settlement was right`);
