// `npm run cost`: what a request costs in the present builds, perhaps beside what it cost in others.
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Failure, describe } from "../../scripts/failure.js";
import { commitCosts, presentCosts } from "./committed.js";
import { costsOf, type Cost } from "./measure.js";
import { comparisonTable, costTable, readCosts } from "./table.js";

const USAGE = `npm run cost -- [--write] [--against FILE]…
  --write    also writes test/cost/cost.md
  --against  also shows what it cost in another build, FILE.wasm, or by another table, FILE.md`;

function printCosts(argv: string[]): void {
  const { write = false, against = [] } = parsed(argv);
  const before = against.flatMap(costsOfFile);
  const present = presentCosts();
  console.log(costTable(present));
  if (before.length > 0) console.log(`\n${comparisonTable(before, present)}`);
  if (write) console.log(`\n${commitCosts(present)} is written`);
}

function parsed(argv: string[]) {
  const options = { write: { type: "boolean" }, against: { type: "string", multiple: true } } as const;
  try {
    return parseArgs({ args: argv, options }).values;
  } catch (error) {
    throw new Failure(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

function costsOfFile(file: string): Cost[] {
  if (!existsSync(file)) throw new Failure(`There is no ${file}.`);
  const bytes = readFileSync(file);
  return file.endsWith(".wasm") ? costsOf(bytes) : readCosts(bytes.toString());
}

try {
  printCosts(process.argv.slice(2));
} catch (error) {
  console.error(`cost: ${describe(error)}`);
  process.exitCode = 1;
}
