// Each bound on the times of decisions errs on the side that its name says.
import { describe, expect, it } from "vitest";
import { DecisionTimes } from "./decision-times.js";

const timesOf = (...decisions: readonly [sentMs: number, answeredMs: number][]): DecisionTimes => {
  const times = new DecisionTimes();
  for (const [sentMs, answeredMs] of decisions) times.add({ sentMs, answeredMs });
  return times;
};

describe("bounds on the times of decisions, as clients can know them", () => {
  it("the elapsed time is bounded by the first and last sendings and answers", () => {
    const times = timesOf([0, 1000], [500, 4000], [3000, 3500]);
    expect(times.elapsedAtMostS).toBe(4);
    expect(times.elapsedAtLeastS).toBe(2);
  });

  it("the elapsed time may be 0 where all requests were under way at once", () => {
    expect(timesOf([0, 1000], [500, 2000]).elapsedAtLeastS).toBe(0);
  });

  it("the longest gap is from a sending to the first answer to a later sending", () => {
    expect(timesOf([0, 100], [1000, 1100], [1500, 1600]).longestGapAtMostS).toBe(1.1);
    // The second was sent early but may have been decided just before its late answer.
    expect(timesOf([0, 100], [200, 5000], [4000, 4100]).longestGapAtMostS).toBe(4.1);
  });

  it("the bounds do not depend on the order in which answers come", () => {
    const one = timesOf([0, 900], [100, 300], [200, 400]);
    const other = timesOf([200, 400], [0, 900], [100, 300]);
    expect(one.longestGapAtMostS).toBe(other.longestGapAtMostS);
  });
});
