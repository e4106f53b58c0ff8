// The summary of npm test: true counts, and the name of everything that did not run.
import { describe, expect, it } from "vitest";
import { aspectCounts, exitCodeOf, resultOf, summaryLines, vitestCounts } from "../../scripts/test/test-report.js";

const none = { passed: 0, failed: 0, notRun: [] };
const some = { passed: 12, failed: 0, notRun: [] };

describe("the summary of npm test", () => {
  it("the summary has a row a stage, and ends with the counts and what did not run", () => {
    const results = [
      resultOf("lint", true, 3.2, none),
      resultOf("unit", true, 10, { passed: 12, failed: 0, notRun: ["containers: no engine answers"] }),
      resultOf("end to end", false, 61, { passed: 5, failed: 2, notRun: [] }),
    ];
    expect(summaryLines(results)).toEqual([
      "lint        ok          3 s",
      "unit        ok         10 s  12 passed, 0 failed",
      "end to end  failed     61 s  5 passed, 2 failed",
      "17 passed, 2 failed, not run: containers: no engine answers",
    ]);
  });

  it("a test that did not run fails the run where every test is asked for", () => {
    const lacking = resultOf("unit", true, 61, { passed: 5, failed: 0, notRun: ["metrics: no promtool"] });
    expect(exitCodeOf([lacking], false)).toBe(0);
    expect(exitCodeOf([lacking], true)).toBe(1);
    expect(exitCodeOf([resultOf("unit", true, 61, some)], true)).toBe(0);
  });

  it("the summary never says 0 failed of a run that failed", () => {
    const results = [resultOf("unit", true, 1, some), resultOf("lint", false, 1, none)];
    expect(summaryLines(results).at(-1)).toBe("12 passed, 1 failed");
    expect(exitCodeOf(results, false)).toBe(1);
  });

  it("a runner that failed beside its passing tests counts as a failure", () => {
    expect(resultOf("unit", false, 1, some)).toMatchObject({ status: "failed", passed: 12, failed: 1 });
  });

  it("a run without tests is a failure, and so is one with a stage that did not run", () => {
    const notRun = { ...resultOf("end to end", true, 0, none), status: "not run" as const };
    expect(exitCodeOf([resultOf("lint", true, 1, none)], false)).toBe(1);
    expect(exitCodeOf([resultOf("unit", true, 1, some), notRun], false)).toBe(1);
    expect(exitCodeOf([resultOf("unit", true, 1, some)], false)).toBe(0);
  });
});

describe("the counts of a runner", () => {
  it("the counts are vitest's own, and a test that did not run keeps its reason", () => {
    const report = {
      numPassedTests: 3,
      numFailedTests: 1,
      testResults: [
        {
          assertionResults: [
            { fullName: "a b", status: "passed" },
            { fullName: "containers go up", status: "skipped", meta: { notRun: "no engine answers" } },
            { fullName: "something else", status: "skipped", meta: {} },
          ],
        },
      ],
    };
    expect(vitestCounts(JSON.stringify(report))).toEqual({
      passed: 3,
      failed: 1,
      notRun: ["containers go up: no engine answers", "something else: skipped without a reason"],
    });
  });

  it("the counts are as-pect's own, coloured or not", () => {
    const output = "  [Summary]\n    [Tests]: \u001b[31m13\u001b[39m / 14\n   [Groups]: 5 / 5\n";
    expect(aspectCounts(output)).toEqual({ passed: 13, failed: 1, notRun: [] });
  });

  it("a run in which as-pect broke off has no counts", () => {
    expect(aspectCounts("Error: cannot compile")).toBeUndefined();
  });
});
