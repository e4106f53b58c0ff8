// Shows that the simulation finds each rule that is taken out: `npm run sim:mutants -- --runs 500`. Prints a table of
// rule, seed and invariant. Works on copies below build/mutants; `--only TEXT` picks rules by a part of their name.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { MUTATIONS, type Mutation } from "./mutations.js";

const COPIED = ["assembly", "control-plane/src", "control-plane/test/support", "test/host", "test/sim"];
const FILES = ["package.json", "tsconfig.json", "asconfig.json", "control-plane/contract-types.d.ts"];
const ROOT = resolve(".");

const { values } = parseArgs({
  options: { runs: { type: "string", default: "500" }, only: { type: "string", default: "" } },
});

const rows = [["rule taken out", "seed", "found by"]];
for (const mutation of MUTATIONS.filter(({ rule }) => rule.includes(values.only))) {
  const row = [mutation.rule, ...resultOf(mutation, values.runs)];
  rows.push(row);
  console.log(`| ${row.join(" | ")} |`);
}
mkdirSync("build", { recursive: true });
writeFileSync("build/mutants.md", rows.map((row) => `| ${row.join(" | ")} |`).join("\n"));

/** The seed that found it and what it found, or "–" and why not. */
function resultOf(mutation: Mutation, runs: string): [seed: string, finding: string] {
  const copy = copyOfSources();
  for (const { file, find, by } of mutation.replacements) {
    const path = join(copy, file);
    const parts = readFileSync(path, "utf8").split(find);
    // Where a rule stands twice, both go.
    if (parts.length < 2) return ["–", `the text of the rule is not in ${file}`];
    writeFileSync(path, parts.join(by));
  }
  // What the mutation does not touch is built already.
  if (mutation.replacements.some(({ file }) => file.startsWith("assembly/"))) {
    const compiled = inCopy(copy, ["node_modules/.bin/asc", "assembly/index.ts", "--target", "release"]);
    if (compiled.status !== 0) return ["–", "does not compile"];
    cpSync("build/sim", join(copy, "build/sim"), { recursive: true });
  } else {
    cpSync("build/sluice.wasm", join(copy, "build/sluice.wasm"));
    inCopy(copy, ["node_modules/.bin/tsc", "-p", "test/sim/tsconfig.run.json"]);
  }
  const { stdout, stderr } = inCopy(copy, ["build/sim/test/sim/run.js", "--runs", runs]);
  const found = /seed (\d+), step \d+: (invariant [^:]+): (.*)/.exec(stdout);
  if (found !== null) return [found[1] ?? "", `${found[2] ?? ""}: ${(found[3] ?? "").replace(/[0-9a-f-]{36}/, "S")}`];
  return ["–", stdout.trim().split("\n").at(-1) ?? stderr.slice(-200)];
}

function inCopy(cwd: string, command: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, command, { cwd, encoding: "utf8" });
}

function copyOfSources(): string {
  const copy = resolve("build/mutants");
  rmSync(copy, { recursive: true, force: true });
  for (const folder of COPIED) cpSync(join(ROOT, folder), join(copy, folder), { recursive: true });
  for (const file of FILES) if (existsSync(file)) cpSync(join(ROOT, file), join(copy, file));
  mkdirSync(join(copy, "build"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  return copy;
}
