// The arithmetic of the benchmark, on made-up samples.
import { describe, expect, it } from "vitest";
import { addedNs, differences, ratioOfAdded, ratioSpread, spreadOf } from "../bench/parts/differences.js";
import { benchArguments } from "../bench/stand/arguments.js";
import { storesArguments } from "../bench/stores/arguments.js";
import { countedIn } from "../bench/stores/server-operations.js";
import { requestPathChart } from "../bench/stand/chart.js";
import { inTurns } from "../bench/parts/rounds.js";
import { sectionText } from "../bench/stand/section.js";
import { zipf } from "../bench/stand/zipf.js";
import { Random } from "../host/harness/host/random.js";

describe("the spread of some values", () => {
  it("the spread has the median, the quartiles between nearest ranks, and the least", () => {
    expect(spreadOf([4, 1, 3, 2, 5])).toEqual({ median: 3, lowerQuartile: 2, upperQuartile: 4, minimum: 1 });
    expect(spreadOf([10, 20])).toEqual({ median: 15, lowerQuartile: 12.5, upperQuartile: 17.5, minimum: 10 });
    expect(spreadOf([7])).toEqual({ median: 7, lowerQuartile: 7, upperQuartile: 7, minimum: 7 });
  });

  it("no value has no spread", () => {
    expect(() => spreadOf([])).toThrow(/no value/);
  });
});

describe("what a variant adds", () => {
  // The machine slows down to a third in the last round: what is added in it does not move the median.
  const rounds = { bare: [100, 101, 99, 300], floor: [140, 142, 138, 420], sluice: [150, 153, 147, 455] };

  it("a variant adds the median of the differences to the bare one in the same round", () => {
    expect(differences(rounds, "floor", "bare")).toEqual([40, 41, 39, 120]);
    expect(addedNs(rounds, ["floor"], "bare")).toBe(40.5);
    expect(addedNs(rounds, ["floor", "sluice"], "bare")).toBe(40.5 + 51);
    expect(addedNs(rounds, ["bare"], "bare")).toBe(0);
  });

  it("a ratio of additions is not changed by a constant under all of them", () => {
    expect(ratioOfAdded(rounds, "sluice", ["floor"], "bare")).toBeCloseTo(51 / 40.5);
    const raised = Object.fromEntries(Object.entries(rounds).map(([name, all]) => [name, all.map((one) => one + 1e6)]));
    expect(ratioOfAdded(raised, "sluice", ["floor"], "bare")).toBeCloseTo(51 / 40.5);
    expect(ratioOfAdded(rounds, "sluice", ["floor", "floor"], "bare")).toBeCloseTo(51 / 81);
  });

  it("a ratio of additions has a spread of the rounds' own ratios", () => {
    const { minimum, median } = ratioSpread(rounds, "sluice", ["floor"], "bare");
    expect(minimum).toBeCloseTo(48 / 39);
    expect(median).toBeCloseTo((50 / 40 + 52 / 41) / 2, 1);
  });

  it("rounds that do not belong together and unmeasured variants have no ratio", () => {
    expect(() => differences({ bare: [1, 2], floor: [1] }, "floor", "bare")).toThrow(
      "floor has 1 rounds and bare has 2",
    );
    expect(() => differences(rounds, "ceiling", "bare")).toThrow("there is no round of ceiling");
  });
});

describe("the operations of a store's server", () => {
  it("a server's operations are its commands but for the question itself, scripts among them", () => {
    const said = [
      "# Commandstats",
      "cmdstat_evalsha:calls=3,usec=9,usec_per_call=3.00",
      "cmdstat_config|get:calls=2,usec=1",
    ];
    const more = ["cmdstat_info:calls=40,usec=1", "cmdstat_hset:calls=7,usec=2,rejected_calls=5"];
    expect(countedIn([...said, ...more].join("\r\n"))).toEqual({ all: 12, scripts: 3 });
    expect(countedIn("")).toEqual({ all: 0, scripts: 0 });
  });
});

describe("the rounds", () => {
  it("rounds go there and back after a warm-up, and divide what each load used", async () => {
    const order: string[] = [];
    let usedNs = 0;
    const turn = (name: string, ns: number, requests: number) => ({
      name,
      load: () => {
        order.push(name);
        usedNs += ns;
        return Promise.resolve(requests);
      },
    });
    const turns = [turn("a", 1000, 10), turn("b", 3000, 10), turn("c", 5000, 5)];
    const rounds = await inTurns(turns, 3, () => usedNs);
    expect(order.join("")).toBe("abc" + "abc" + "cba" + "abc");
    expect(rounds).toEqual({ a: [100, 100, 100], b: [300, 300, 300], c: [1000, 1000, 1000] });
  });
});

describe("Zipf's popularity", () => {
  it("Zipf's popularity gives the ranks their shares", () => {
    const pick = zipf(4, 1, new Random(7));
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 100_000; i++) {
      const rank = pick();
      counts[rank] = (counts[rank] ?? 0) + 1;
    }
    const harmonic = 1 + 1 / 2 + 1 / 3 + 1 / 4;
    for (const [rank, count] of counts.entries()) expect(count / 100_000).toBeCloseTo(1 / (rank + 1) / harmonic, 1.9);
  });
});

describe("what a reader gets", () => {
  const section = {
    title: "The request path, made up",
    method: "Nothing was measured.",
    columns: ["variant", "added µs", "quartiles", "least"],
    rows: [
      ["floor: what <it> must", "4.00", "3.50 … 4.50", "3.00"],
      ["sluice: the filter", "8.00", "7.00 … 9.00", "6.00"],
      ["bareAgain: noise", "0.10", "-0.20 … 0.30", "-0.40"],
      ["sluice ÷ floor", "2.00", "1.90 … 2.10", ""],
    ],
    figures: {},
  };

  it("a table has its figures under each other", () => {
    expect(sectionText(section).split("\n").slice(3, 6)).toEqual([
      "variant                added µs     quartiles  least",
      "floor: what <it> must      4.00   3.50 … 4.50   3.00",
      "sluice: the filter         8.00   7.00 … 9.00   6.00",
    ]);
  });

  it("a picture has a bar for each variant, in proportion, and none for noise or ratios", () => {
    const svg = requestPathChart([section]);
    const widths = [...svg.matchAll(/<rect x="380"[^>]* width="([\d.]+)"/g)].map((match) => Number(match[1]));
    expect(widths).toHaveLength(2);
    expect(widths[1]).toBeCloseTo(2 * (widths[0] ?? 0), 0);
    expect(svg).toContain("what &lt;it> must");
  });

  it("a wrong argument prints the usage", () => {
    expect(() => benchArguments(["--only", "everything"])).toThrow(/no part "everything".*request-path/);
    expect(() => benchArguments(["--fast"])).toThrow(/--fast.*npm run bench/s);
    expect(benchArguments(["--quick", "--json", "a.json"])).toMatchObject({ quick: true, json: "a.json", svg: null });
    expect(benchArguments(["--only", "scale", "--only", "ticks"]).parts).toEqual(["ticks", "scale"]);
  });

  it("a picture is only made where the part is measured that it shows", () => {
    expect(benchArguments(["--svg", "a.svg"]).svg).toBe("a.svg");
    expect(() => benchArguments(["--svg", "a.svg", "--only", "scale"])).toThrow(/--svg needs it/);
  });

  it("the comparison of stores takes its own parts, and says where profiles go", () => {
    expect(storesArguments(["--only", "copy", "--profile", "p"])).toEqual({
      ...{ quick: false, json: null, parts: ["copy"], profile: "p" },
    });
    expect(() => storesArguments(["--svg", "a.svg"])).toThrow(/--svg.*npm run bench:stores.*--profile FOLDER/s);
  });
});
