// Mutants of the control plane, made and tried by StrykerJS: one build holds all of a run, and of the tests only those
// that reach a mutant are run for it.
import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { Stryker } from "@stryker-mutator/core";
import type { Fate, JudgedMutant } from "../mutant.js";
import { blocksOf, type LineRange, sampleOf, sourceFiles } from "../sample.js";

/** What decides; what only carries bytes or prints is tried by real processes. */
const FOLDERS = ["control-plane/src/domain", "control-plane/src/app", "control-plane/src/store"];

type Result = Awaited<ReturnType<Stryker["runMutationTest"]>>[number];

const FATES: Partial<Record<Result["status"], Fate>> = {
  Killed: "noticed",
  RuntimeError: "noticed",
  Timeout: "timed out",
  Survived: "survived",
  NoCoverage: "survived",
};

/** @param blocks how many blocks of lines the seed takes */
export async function judgeControlPlane(seed: number, blocks: number, only: string): Promise<readonly JudgedMutant[]> {
  const files = sourceFiles(FOLDERS).filter((file) => file.includes(only));
  const results = await new Stryker({
    mutate: sampleOf(blocksOf(files), blocks, seed, ({ file, first }) => `${file}:${first}`).map(rangeText),
    testRunner: "vitest",
    plugins: ["@stryker-mutator/vitest-runner"],
    vitest: { configFile: "test/mutation/control-plane/vitest.config.ts", related: false },
    coverageAnalysis: "perTest",
    // A text for people is held by the tests that name it, not by each that passes it on.
    mutator: { excludedMutations: ["StringLiteral"] },
    disableTypeChecks: "control-plane/src/**/*.ts",
    ignorePatterns: [".cache", "build/**", "!build/validator", "!build/validator/**"],
    tempDirName: "build/mutation/control-plane",
    reporters: ["progress-append-only"],
    concurrency: 2,
    timeoutMS: 30_000,
    dryRunTimeoutMinutes: 20,
  }).runMutationTest();
  return results.flatMap(judged);
}

function rangeText({ file, first, last }: LineRange): string {
  return `${file}:${first}-${last}`;
}

function judged({ fileName, location, replacement, status }: Result): JudgedMutant[] {
  const fate = FATES[status];
  if (fate === undefined) return [];
  const file = relative(resolve("."), resolve(fileName));
  const lines = readFileSync(file, "utf8").split("\n");
  const { start, end } = location;
  const source = (lines[start.line - 1] ?? "").trim();
  const taken = lines.slice(start.line - 1, end.line);
  const last = taken.pop() ?? "";
  const original = [...taken, last.slice(0, end.column - 1)].join("\n").slice(start.column - 1);
  return [{ file, line: start.line, source, original, replacement, fate }];
}
