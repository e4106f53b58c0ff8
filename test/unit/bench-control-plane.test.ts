// The arithmetic of the control plane's benchmark, on made-up samples: what it prints is what they say.
import { describe, expect, it } from "vitest";

import { table } from "../bench/control-plane/print.js";
import { joined, quartiles, summarize, type Run } from "../bench/control-plane/samples.js";
import { quantile } from "../bench/stand/quantile.js";

const run = (requests: number, wallMs: number, cpuMs: number, latenciesMs: number[] = [1]): Run => ({
  requests,
  wallMs,
  cpuNs: cpuMs * 1e6,
  latenciesMs,
});

describe("quantiles", () => {
  it("quantiles lie on a value, or between two by a straight line, in any order", () => {
    expect(quartiles([5, 1, 4, 2, 3])).toEqual({ lower: 2, median: 3, upper: 4 });
    expect(quartiles([4, 1, 3, 2])).toEqual({ lower: 1.75, median: 2.5, upper: 3.25 });
    expect(quartiles([10, 9])).toEqual({ lower: 9.25, median: 9.5, upper: 9.75 });
    expect(quartiles([7])).toEqual({ lower: 7, median: 7, upper: 7 });
  });

  it("the 99th percentile of a hundred values is next to the largest", () => {
    const values = Array.from({ length: 101 }, (_, i) => i);
    expect(quantile(values, 0.99)).toBe(99);
    expect(quantile(values, 1)).toBe(100);
  });

  it("quantiles of nothing are no number", () => {
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe("a summary", () => {
  it("a summary takes the way there and the way back of a round as one run", () => {
    expect(joined([run(100, 10, 4, [1, 2]), run(300, 30, 8, [3])])).toEqual(run(400, 40, 12, [1, 2, 3]));
  });

  it("a summary states requests a second, CPU a request, and the share of a core", () => {
    const { perSecond, cpuUsPerRequest, busy } = summarize([run(1000, 50, 40)], [run(1000, 25, 25)]);
    expect(perSecond.median).toBe(20_000);
    expect(cpuUsPerRequest.median).toBe(40);
    expect(busy.median).toBe(0.8);
  });

  it("a summary compares within a round, so that a slow round changes no ratio", () => {
    const bases = [run(100, 10, 10), run(100, 100, 30), run(100, 10, 10)];
    const rounds = [run(100, 20, 20), run(100, 200, 60), run(100, 40, 20)];
    const { throughputRatio, cpuRatio } = summarize(rounds, bases);
    expect(throughputRatio).toEqual({ lower: 0.375, median: 0.5, upper: 0.5 });
    expect(cpuRatio).toEqual({ lower: 2, median: 2, upper: 2 });
  });

  it("a summary takes percentiles within a round, and their median over the rounds", () => {
    const rounds = [run(3, 1, 1, [1, 2, 9]), run(3, 1, 1, [1, 3, 50]), run(3, 1, 1, [1, 4, 8])];
    const { p50Ms } = summarize(rounds, rounds);
    expect(p50Ms).toEqual({ lower: 2.5, median: 3, upper: 3.5 });
  });

  it("a summary of rounds without a base is rejected", () => {
    expect(() => summarize([run(1, 1, 1), run(1, 1, 1)], [run(1, 1, 1)])).toThrow("round 1 has no base");
  });

  it("a summary is printed as a line with medians, and quartiles of the ratios", () => {
    const base = [run(1000, 100, 25, [2])];
    const measured = [
      { name: "bare", summary: summarize(base, base) },
      { name: "other", summary: summarize([run(1000, 125, 50, [4])], base) },
    ];
    const [, bare = "", other = ""] = table(measured).split("\n");
    const fields = (line: string): string[] => line.trim().split(/ {2,}| (?=\d)/);
    expect(fields(bare)).toEqual([
      "bare",
      "10000",
      "25.0",
      "0.25",
      "2.00",
      "2.00",
      "1.00 (1.00–1.00)",
      "1.00 (1.00–1.00)",
    ]);
    expect(fields(other)).toEqual([
      "other",
      "8000",
      "50.0",
      "0.40",
      "4.00",
      "4.00",
      "0.80 (0.80–0.80)",
      "2.00 (2.00–2.00)",
    ]);
  });
});
