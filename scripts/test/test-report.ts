// What the test runners reported, as counts, and the summary that npm test ends with.

import { relative } from "node:path";

export type StageStatus = "ok" | "failed" | "not run";

export interface StageResult {
  stage: string;
  status: StageStatus;
  /** Tests; 0 for a stage that runs none. */
  passed: number;
  failed: number;
  seconds: number;
  /** Tests, or the whole stage, that did not run, each with its reason. */
  notRun: readonly string[];
  /** What failed and why, a line each; where no test did, the last lines that the stage said. */
  failures: readonly string[];
}

export interface Counts {
  passed: number;
  failed: number;
  notRun: readonly string[];
  failures: readonly string[];
}

/** The parts that are read of what vitest's json reporter writes. */
interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: readonly VitestFile[];
}

interface VitestFile {
  name: string;
  status: string;
  /** Why the file itself failed; empty where only tests did. */
  message: string;
  assertionResults: readonly VitestResult[];
}

interface VitestResult {
  fullName: string;
  status: string;
  failureMessages?: readonly string[];
  /** A test that cannot run here sets `notRun` to its reason. */
  meta?: { notRun?: string };
}

const RAN = new Set(["passed", "failed"]);
// as-pect colours its summary also where no terminal reads it.
const COLOUR = /\u001b\[[\d;]*m/g;
/** Of a stage that names no test: enough for an error with its place. */
const LAST_LINES = 20;
const ASPECT_SUMMARY = /\[Tests\]:\s*(\d+)\s*\/\s*(\d+)/;

/**
 * @param json what vitest's json reporter wrote
 * @param root the folder that the files of failures are named from
 */
export function vitestCounts(json: string, root: string): Counts {
  const report = JSON.parse(json) as VitestReport;
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const notRun = results
    .filter(({ status }) => !RAN.has(status))
    .map(({ fullName, meta }) => `${fullName}: ${meta?.notRun ?? "skipped without a reason"}`);
  const failures = report.testResults.flatMap((file) => failuresIn({ ...file, name: relative(root, file.name) }));
  return { passed: report.numPassedTests, failed: report.numFailedTests, notRun, failures };
}

function failuresIn({ name, status, message, assertionResults }: VitestFile): string[] {
  const failed = assertionResults.filter((result) => result.status === "failed");
  // A file that cannot be loaded, or whose hooks failed, has no test that says so.
  if (failed.length === 0 && status === "failed") return [`${name}: ${firstLine(message)}`];
  return failed.map(
    ({ fullName, failureMessages }) => `${name}: ${fullName}: ${firstLine(failureMessages?.[0] ?? "")}`,
  );
}

const firstLine = (text: string): string => text.replaceAll(COLOUR, "").split("\n", 1)[0] ?? "";

/** @param output all that as-pect printed; undefined without a summary: it broke off before its end */
export function aspectCounts(output: string): Counts | undefined {
  const [, passed, total] = ASPECT_SUMMARY.exec(output.replaceAll(COLOUR, "")) ?? [];
  if (passed === undefined || total === undefined) return undefined;
  return { passed: Number(passed), failed: Number(total) - Number(passed), notRun: [], failures: [] };
}

/**
 * A stage that failed without a failing test (a compiler's error, a file that cannot be loaded) counts as one failure,
 * so that the last line of a failed run never says "0 failed".
 * @param output all that the stage said
 */
export function resultOf(stage: string, succeeded: boolean, seconds: number, counts: Counts, output = ""): StageResult {
  const failed = succeeded ? counts.failed : Math.max(counts.failed, 1);
  const failures = failed === 0 || counts.failures.length > 0 ? counts.failures : lastLines(output);
  return { ...counts, stage, status: failed === 0 ? "ok" : "failed", failed, seconds, failures };
}

const lastLines = (output: string): string[] =>
  output
    .replaceAll(COLOUR, "")
    .trimEnd()
    .split("\n")
    .slice(-LAST_LINES)
    .filter((line) => line.trim() !== "");

/**
 * What failed, by stage; then the table; and as the last line `N passed, N failed`, with the name of each that did not run
 * where there is one.
 */
export function summaryLines(results: readonly StageResult[]): string[] {
  const width = Math.max(...results.map(({ stage }) => stage.length));
  const rows = results.map(({ stage, status, passed, failed, seconds }) => {
    const tests = passed + failed === 0 ? "" : `${passed} passed, ${failed} failed`;
    return `${stage.padEnd(width)}  ${status.padEnd(7)}  ${`${seconds.toFixed(0)} s`.padStart(6)}  ${tests}`.trimEnd();
  });
  const notRun = results.flatMap((result) => result.notRun);
  const { passed, failed } = total(results);
  const counts = `${passed} passed, ${failed} failed`;
  const failures = results.flatMap((result) => result.failures.map((line) => `${result.stage} failed: ${line}`));
  return [...failures, ...rows, notRun.length === 0 ? counts : `${counts}, not run: ${notRun.join("; ")}`];
}

/**
 * 0 only if every stage ran, none failed, and there was a test at all.
 * @param everyTest a test that did not run counts as a failure: the machine is to have what it needs
 */
export function exitCodeOf(results: readonly StageResult[], everyTest: boolean): number {
  if (everyTest && results.some(({ notRun }) => notRun.length > 0)) return 1;
  return results.every(({ status }) => status === "ok") && total(results).passed > 0 ? 0 : 1;
}

function total(results: readonly StageResult[]): { passed: number; failed: number } {
  const sum = (pick: (result: StageResult) => number): number => results.reduce((all, one) => all + pick(one), 0);
  return { passed: sum(({ passed }) => passed), failed: sum(({ failed }) => failed) };
}
