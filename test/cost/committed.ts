// The committed table, cost.md, and the present builds that it is about.
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { filterBytes } from "../host/harness/builds/filter-modules.js";
import { costsOf, type Cost } from "./measure.js";
import { costTable, readCosts } from "./table.js";

/** From the repository's root, where its commands run. */
const FILE = "test/cost/cost.md";

const INTRODUCTION = `# What a request costs

Host calls, and WebAssembly instructions executed in the filter, by request path: what the request comes to until it goes on
or is answered, and what its response adds. Written by \`npm run cost -- --write\`, and held against each build by
\`test/cost/cost.test.ts\`. The paths are in \`paths.ts\`, those of tokens in \`token-paths.ts\`, of leases in \`lease-paths.ts\`, and those of the build that settles,
which is the full one for all others, in \`settle-paths.ts\`; what one instruction is, in \`instruction-counter.ts\`.
`;

export function presentCosts(): Cost[] {
  return (["release", "lean", "settle"] as const).flatMap((build) => costsOf(filterBytes(build)));
}

export function committedCosts(): Cost[] {
  return readCosts(readFileSync(resolve(FILE), "utf8"));
}

/** Answers the file's name. */
export function commitCosts(costs: readonly Cost[]): string {
  writeFileSync(resolve(FILE), `${INTRODUCTION}\n${costTable(costs)}\n`);
  return FILE;
}
