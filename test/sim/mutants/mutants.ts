// Shows that each rule that is taken out is found, by a simulation or by the interleavings of settlements:
// `npm run sim:mutants -- --runs 500`. Prints a table of rule, seed and invariant. Works on a copy below build; `--only TEXT`
// picks rules by a part of their name, `--judge simulation`, `settlements` or `leases` by what finds them. Exits with 1 where a
// rule is not found.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { seedsOf } from "../leases/faults/lease-profile.js";
import { judgedByLeases } from "./judge-leases.js";
import { judgedBySettlements } from "./judge-settling.js";
import { mutatedFiles, type Mutation } from "./mutation.js";
import { MUTATIONS } from "./mutations.js";

const COPIED = ["assembly", "control-plane/src", "control-plane/test/support", "test/host", "test/sim"];
const FILES = ["package.json", "tsconfig.json", "asconfig.json", "control-plane/contract-types.d.ts"];
const ROOT = resolve(".");
const NOT_FOUND = "–";
/** Of this process: several may look for different rules at a time. */
const COPY = resolve(`build/mutants-${process.pid}`);

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "500" },
    only: { type: "string", default: "" },
    judge: { type: "string", default: "" },
  },
});

const rows = [["rule taken out", "seed", "found by"]];
const chosen = MUTATIONS.filter(({ rule, judge = "simulation" }) => {
  return rule.includes(values.only) && judge.includes(values.judge);
});
for (const mutation of chosen) {
  const row = [mutation.rule, ...(await resultOf(mutation, Number(values.runs)))];
  rows.push(row);
  console.log(`| ${row.join(" | ")} |`);
}
rmSync(COPY, { recursive: true, force: true });
mkdirSync("build", { recursive: true });
if (rows.some(([, seed]) => seed === NOT_FOUND)) process.exitCode = 1;
writeFileSync("build/mutants.md", rows.map((row) => `| ${row.join(" | ")} |`).join("\n"));

/** The seed that found it and what it found, or "–" and why not. */
async function resultOf(mutation: Mutation, runs: number): Promise<readonly [seed: string, finding: string]> {
  if (mutation.judge === undefined) return judgedBySimulation(mutation, String(runs));
  const found =
    mutation.judge === "leases"
      ? await judgedByLeases(mutation, seedsOf(mutation.aim, runs), read)
      : await judgedBySettlements(mutation, runs, read);
  return found ?? [NOT_FOUND, `${runs} runs: nothing was found`];
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

function judgedBySimulation(mutation: Mutation, runs: string): readonly [seed: string, finding: string] {
  const copy = copyOfSources();
  for (const [file, text] of mutatedFiles(mutation, read)) writeFileSync(join(copy, file), text);
  // The simulation compiles the filter itself, from the copy (sim-filter.ts). What the mutation does not touch is built.
  cpSync("build/sluice.wasm", join(copy, "build/sluice.wasm"));
  if (mutation.replacements.every(({ file }) => file.startsWith("assembly/"))) {
    cpSync("build/sim", join(copy, "build/sim"), { recursive: true });
  } else {
    inCopy(copy, ["node_modules/.bin/tsc", "-p", "test/sim/tsconfig.run.json"]);
  }
  const { stdout, stderr } = inCopy(copy, ["build/sim/test/sim/run.js", "--runs", runs]);
  const found = /^seed (\d+), step \d+: (.*)/m.exec(stdout);
  if (found !== null) return [found[1] ?? "", (found[2] ?? "").replace(/[0-9a-f-]{36}/, "S")];
  return [NOT_FOUND, stdout.trim().split("\n").at(-1) || stderr.slice(-300)];
}

function inCopy(cwd: string, command: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, command, { cwd, encoding: "utf8" });
}

function copyOfSources(): string {
  const copy = COPY;
  rmSync(copy, { recursive: true, force: true });
  for (const folder of COPIED) cpSync(join(ROOT, folder), join(copy, folder), { recursive: true });
  for (const file of FILES) if (existsSync(file)) cpSync(join(ROOT, file), join(copy, file));
  mkdirSync(join(copy, "build"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  return copy;
}
