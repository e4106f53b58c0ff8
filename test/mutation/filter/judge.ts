// Mutants of the filter: each is built and given to the specs, to the tests in the emulated host and to some runs of the
// simulation, until one of them notices.
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Fate, JudgedMutant } from "../mutant.js";
import { sampleOf, sourceFiles } from "../sample.js";
import { mutantsOf, type TextMutant } from "./token-mutants.js";
import { Workspace } from "./workspace.js";

const FOLDERS = ["assembly/domain", "assembly/filter"];
const STEP_TIMEOUT_MS = 400_000;
const SIMULATION_RUNS = "100";

/** What Node runs, from the copy's root. */
type Step = readonly string[];

const ASC = "node_modules/.bin/asc";
const VITEST = ["node_modules/.bin/vitest", "run", "--project", "unit", "--bail", "1"];
const BUILT = ["build/sluice.debug.wasm", "build/sluice-lean.wasm", "build/sluice-settle.wasm"];

/** Unoptimised, which takes a third of the time. */
const BUILD: readonly Step[] = [
  [ASC, "assembly/index.ts", "--target", "debug"],
  [ASC, "assembly/lean.ts", "--target", "lean", "-O0"],
  [ASC, "assembly/settle.ts", "--target", "settle", "-O0"],
  [ASC, "assembly/domain/policy/validator-module.ts", "--target", "validator", "-O0"],
  ["scripts/stamp-filter.mjs", ...BUILT],
];
const SIMULATION: readonly Step[] = [
  ["node_modules/.bin/tsc", "-p", "test/sim/tsconfig.run.json"],
  ["build/sim/test/sim/run.js", "--runs", SIMULATION_RUNS],
];

/** @param count how many mutants the seed takes */
export async function judgeFilter(seed: number, count: number, only: string): Promise<readonly JudgedMutant[]> {
  const files = sourceFiles(FOLDERS).filter((file) => file.includes(only));
  const mutants = sampleOf(
    files.flatMap((file) => mutantsOf(file, readFileSync(file, "utf8"))),
    count,
    seed,
    ({ file, source, original, replacement }) => [file, source, original, replacement].join("\n"),
  );
  const workspace = Workspace.create(`build/mutation/filter-${process.pid}`);
  try {
    return await judgedIn(workspace, mutants);
  } finally {
    workspace.remove();
  }
}

async function judgedIn(workspace: Workspace, mutants: readonly TextMutant[]): Promise<JudgedMutant[]> {
  if ((await fateIn(workspace, "assembly/domain")) !== "survived")
    throw new Error("a test fails, or the filter does not build, before anything is changed");
  const judged: JudgedMutant[] = [];
  for (const { changed, ...mutant } of mutants) {
    const text = readFileSync(mutant.file, "utf8");
    workspace.write(mutant.file, changed);
    const fate = await fateIn(workspace, mutant.file);
    workspace.write(mutant.file, text);
    judged.push({ ...mutant, fate });
    const { file, line, original, replacement } = mutant;
    console.log(`${judged.length} of ${mutants.length}: ${file}:${line} ${original} → ${replacement}: ${fate}`);
  }
  return judged;
}

async function fateIn(workspace: Workspace, file: string): Promise<Fate> {
  for (const step of BUILD) if ((await workspace.run(step, STEP_TIMEOUT_MS)) !== "passed") return "not built";
  copyFileSync(join(workspace.folder, "build/sluice.debug.wasm"), join(workspace.folder, "build/sluice.wasm"));
  for (const step of stepsFor(file)) {
    const outcome = await workspace.run(step, STEP_TIMEOUT_MS);
    if (outcome !== "passed") return outcome === "failed" ? "noticed" : "timed out";
  }
  return "survived";
}

/** The nearest tests first: most mutants end there. */
function stepsFor(file: string): readonly Step[] {
  const room = file.split("/")[2] ?? "";
  const near = [...VITEST, "--passWithNoTests", `test/host/${room}`];
  const all = [...VITEST, "test/host"];
  const inDomain = [
    ["node_modules/.bin/asp", "--no-logo"],
    [...VITEST, "control-plane/test/domain"],
  ];
  return [...(file.startsWith("assembly/domain") ? inDomain : [near]), all, ...SIMULATION];
}
