// What the test runners reported, as counts, and the summary that npm test ends with.

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
}

export interface Counts {
  passed: number;
  failed: number;
  notRun: readonly string[];
}

/** The parts that are read of what vitest's json reporter writes. */
interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: readonly { assertionResults: readonly VitestResult[] }[];
}

interface VitestResult {
  fullName: string;
  status: string;
  /** A test that cannot run here sets `notRun` to its reason. */
  meta?: { notRun?: string };
}

const RAN = new Set(["passed", "failed"]);
// as-pect colours its summary also where no terminal reads it.
const COLOUR = /\u001b\[\d+m/g;
const ASPECT_SUMMARY = /\[Tests\]:\s*(\d+)\s*\/\s*(\d+)/;

/** @param json what vitest's json reporter wrote */
export function vitestCounts(json: string): Counts {
  const report = JSON.parse(json) as VitestReport;
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const notRun = results
    .filter(({ status }) => !RAN.has(status))
    .map(({ fullName, meta }) => `${fullName}: ${meta?.notRun ?? "skipped without a reason"}`);
  return { passed: report.numPassedTests, failed: report.numFailedTests, notRun };
}

/** @param output all that as-pect printed; undefined without a summary: it broke off before its end */
export function aspectCounts(output: string): Counts | undefined {
  const [, passed, total] = ASPECT_SUMMARY.exec(output.replaceAll(COLOUR, "")) ?? [];
  if (passed === undefined || total === undefined) return undefined;
  return { passed: Number(passed), failed: Number(total) - Number(passed), notRun: [] };
}

/**
 * A stage that failed without a failing test (a compiler's error, a file that cannot be loaded) counts as one failure,
 * so that the last line of a failed run never says "0 failed".
 */
export function resultOf(stage: string, succeeded: boolean, seconds: number, counts: Counts): StageResult {
  const failed = succeeded ? counts.failed : Math.max(counts.failed, 1);
  return { ...counts, stage, status: failed === 0 ? "ok" : "failed", failed, seconds };
}

/** The table, and as the last line `N passed, N failed`, with the name of each that did not run where there is one. */
export function summaryLines(results: readonly StageResult[]): string[] {
  const width = Math.max(...results.map(({ stage }) => stage.length));
  const rows = results.map(({ stage, status, passed, failed, seconds }) => {
    const tests = passed + failed === 0 ? "" : `${passed} passed, ${failed} failed`;
    return `${stage.padEnd(width)}  ${status.padEnd(7)}  ${`${seconds.toFixed(0)} s`.padStart(6)}  ${tests}`.trimEnd();
  });
  const notRun = results.flatMap((result) => result.notRun);
  const { passed, failed } = total(results);
  const counts = `${passed} passed, ${failed} failed`;
  return [...rows, notRun.length === 0 ? counts : `${counts}, not run: ${notRun.join("; ")}`];
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
