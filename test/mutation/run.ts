// Mutation testing: `npm run mutation -- --part filter --seed 1 --sample 40`. Ends with 1 where a mutant survived that is
// not known as equivalent.
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { judgeControlPlane } from "./control-plane/judge.js";
import { EQUIVALENTS } from "./equivalents.js";
import { judgeFilter } from "./filter/judge.js";
import { survivorsOf } from "./mutant.js";
import { reportLines } from "./report.js";

const PARTS = { "control-plane": judgeControlPlane, filter: judgeFilter } as const;

const { values } = parseArgs({
  options: {
    part: { type: "string", default: "control-plane" },
    seed: { type: "string", default: "1" },
    sample: { type: "string", default: "40" },
    only: { type: "string", default: "" },
  },
});
// Also ends what is being tried.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
const part = values.part === "filter" ? "filter" : "control-plane";
const seed = Number(values.seed);
const judged = await PARTS[part](seed, Number(values.sample), values.only);
const lost = survivorsOf(judged, EQUIVALENTS);
const lines = reportLines(part, seed, judged, lost);
mkdirSync("build/reports", { recursive: true });
writeFileSync(`build/reports/mutation-${part}.json`, JSON.stringify({ seed, judged }, undefined, 2));
console.log(lines.join("\n"));
process.exitCode = lost.length === 0 ? 0 : 1;
