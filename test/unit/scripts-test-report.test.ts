// The summary of npm test: true counts, and the name of everything that did not run.
import { describe, expect, it } from "vitest";
import { aspectCounts, exitCodeOf, resultOf, summaryLines, vitestCounts } from "../../scripts/test/test-report.js";

const none = { passed: 0, failed: 0, notRun: [], failures: [] };
const some = { ...none, passed: 12 };

describe("the summary of npm test", () => {
  it("the summary has a row a stage, and ends with the counts and what did not run", () => {
    const results = [
      resultOf("lint", true, 3.2, none),
      resultOf("unit", true, 10, { ...some, notRun: ["containers: no engine answers"] }),
      resultOf("end to end", false, 61, { ...none, passed: 5, failed: 2, failures: ["a.test.ts: a: b"] }),
    ];
    expect(summaryLines(results)).toEqual([
      "end to end failed: a.test.ts: a: b",
      "lint        ok          3 s",
      "unit        ok         10 s  12 passed, 0 failed",
      "end to end  failed     61 s  5 passed, 2 failed",
      "17 passed, 2 failed, not run: containers: no engine answers",
    ]);
  });

  it("a test that did not run fails the run where every test is asked for", () => {
    const lacking = resultOf("unit", true, 61, { ...some, notRun: ["metrics: no promtool"] });
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

  it("a stage that fails without a test says its last lines beside the summary", () => {
    const lint = resultOf("lint", false, 1, none, "a.ts\n\n  3:1  error  \u001b[31mno\u001b[39m\n");
    expect(summaryLines([lint]).slice(0, -2)).toEqual(["lint failed: a.ts", "lint failed:   3:1  error  no"]);
    expect(summaryLines([resultOf("lint", true, 1, none, "fine\n")])).toHaveLength(2);
  });

  it("a run without tests is a failure, and so is one with a stage that did not run", () => {
    const notRun = { ...resultOf("end to end", true, 0, none), status: "not run" as const };
    expect(exitCodeOf([resultOf("lint", true, 1, none)], false)).toBe(1);
    expect(exitCodeOf([resultOf("unit", true, 1, some), notRun], false)).toBe(1);
    expect(exitCodeOf([resultOf("unit", true, 1, some)], false)).toBe(0);
  });
});

describe("the counts of a runner", () => {
  it("the counts are vitest's own; what did not run and what failed keep their reasons", () => {
    const report = {
      numPassedTests: 3,
      numFailedTests: 1,
      testResults: [
        { name: "/here/test/unloaded.test.ts", status: "failed", message: "no such module\nat", assertionResults: [] },
        {
          name: "/here/test/one.test.ts",
          status: "failed",
          message: "",
          assertionResults: [
            { fullName: "a b", status: "passed" },
            { fullName: "a c", status: "failed", failureMessages: ["\u001b[2mexpected 1\u001b[22m\nat line 3"] },
            { fullName: "containers go up", status: "skipped", meta: { notRun: "no engine answers" } },
            { fullName: "something else", status: "skipped", meta: {} },
          ],
        },
      ],
    };
    expect(vitestCounts(JSON.stringify(report), "/here")).toEqual({
      passed: 3,
      failed: 1,
      notRun: ["containers go up: no engine answers", "something else: skipped without a reason"],
      failures: ["test/unloaded.test.ts: no such module", "test/one.test.ts: a c: expected 1"],
    });
  });

  it("the counts are as-pect's own, coloured or not", () => {
    const output = "  [Summary]\n    [Tests]: \u001b[31m13\u001b[39m / 14\n   [Groups]: 5 / 5\n";
    expect(aspectCounts(output)).toEqual({ ...none, passed: 13, failed: 1 });
  });

  it("a run in which as-pect broke off has no counts", () => {
    expect(aspectCounts("Error: cannot compile")).toBeUndefined();
  });
});
