// One stage of npm test: a command of package.json, its output passed on as it comes, and its tests counted.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe } from "../failure.js";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";
import { aspectCounts, type Counts, resultOf, type StageResult, vitestCounts } from "./test-report.js";

export interface Stage {
  name: string;
  /** In package.json. */
  script: string;
  /** Runs tests with this; absent: the stage only succeeds or fails. */
  runner?: "as-pect" | "vitest";
  /** A stage that must have been ok before this one is worth its time; it comes earlier. */
  needs?: string;
  /** Runs while those after it do, each in its turn. */
  beside?: true;
  /** What the command gets on top of our environment; its rejection fails the stage. */
  env?: () => Promise<Record<string, string>>;
}

interface Run {
  succeeded: boolean;
  output: string;
}

const NO_TESTS: Counts = { passed: 0, failed: 0, notRun: [], failures: [] };
const REPORT_DIR = join(projectRoot, "build/reports");

/** With all that it said, which is passed on as it comes where no other stage runs beside it. */
export interface StageRun {
  readonly result: StageResult;
  readonly output: string;
}

/** Never rejects: whatever goes wrong is the stage's failure. */
export async function runStage(stage: Stage, earlier: readonly StageResult[]): Promise<StageRun> {
  const lacking = earlier.find((one) => one.stage === stage.needs && one.status !== "ok");
  if (lacking !== undefined) return { result: skipped(stage, `${lacking.stage} is not ok`), output: "" };

  const report = join(REPORT_DIR, `${stage.script.replaceAll(":", "-")}.json`);
  const begin = performance.now();
  const run = await npmRun(stage, report);
  const seconds = (performance.now() - begin) / 1000;
  return { result: resultIn(stage, run, seconds, report), output: run.output };
}

function resultIn(stage: Stage, { succeeded, output }: Run, seconds: number, report: string): StageResult {
  if (stage.runner === undefined) return resultOf(stage.name, succeeded, seconds, NO_TESTS, output);
  const counts = stage.runner === "vitest" ? countsIn(report) : aspectCounts(output);
  // A runner that says nothing of its tests broke off, whatever code it ended with.
  return resultOf(stage.name, succeeded && counts !== undefined, seconds, counts ?? NO_TESTS, output);
}

function skipped({ name }: Stage, reason: string): StageResult {
  return { ...NO_TESTS, stage: name, status: "not run", seconds: 0, notRun: [`${name}: ${reason}`] };
}

async function npmRun(stage: Stage, report: string): Promise<Run> {
  try {
    const env = { ...process.env, ...(await stage.env?.()) };
    const args = ["run", "--silent", stage.script, ...reporting(stage, report)];
    const { code, output } = await runCommand("npm", args, { env, cwd: projectRoot, passOn: stage.beside !== true });
    return { succeeded: code === 0, output };
  } catch (error) {
    console.error(`sluice: ${describe(error)}`);
    return { succeeded: false, output: describe(error) };
  }
}

function reporting(stage: Stage, report: string): string[] {
  if (stage.runner !== "vitest") return [];
  mkdirSync(REPORT_DIR, { recursive: true });
  // The last run's report must not stand in for one that is not written.
  rmSync(report, { force: true });
  return ["--", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
}

function countsIn(report: string): Counts | undefined {
  try {
    return vitestCounts(readFileSync(report, "utf8"), projectRoot);
  } catch {
    return undefined;
  }
}
