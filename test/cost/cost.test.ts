// The present builds cost what the committed table says: growth fails the test until a new table is committed.
import binaryen from "assemblyscript/binaryen";
import { describe, expect, it } from "vitest";
import { filterBytes } from "../host/harness/builds/filter-modules.js";
import { committedCosts, presentCosts } from "./committed.js";
import { differencesFrom } from "./growth.js";
import { costsOf, type Cost } from "./measure.js";
import { comparisonTable, costTable, readCosts } from "./table.js";

const HOW_TO_RECORD =
  "a request costs something else than test/cost/cost.md says. If that is meant, `npm run cost -- --write` records it, " +
  "and the commit says why";

/** The module, with one more read of the clock for each request. */
function readingTheClockAgain(wasm: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(wasm);
  module.setFeatures(binaryen.Features.All);
  const functions = Array.from({ length: module.getNumFunctions() }, (_, index) => {
    return binaryen.getFunctionInfo(module.getFunctionByIndex(index));
  });
  const clock = functions.find(({ base }) => base === "clock_time_get");
  const { value: name } = binaryen.getExportInfo(module.getExport("proxy_on_request_headers"));
  const { params, results, vars, body } = binaryen.getFunctionInfo(module.getFunction(name));
  const { i32, i64 } = module;
  // No AssemblyScript program keeps anything in the first bytes of its memory.
  const read = module.call(clock?.name ?? "", [i32.const(1), i64.const(0, 0), i32.const(0)], binaryen.i32);
  module.removeFunction(name);
  module.addFunction(name, params, results, vars, module.block(null, [module.drop(read), body], binaryen.auto));
  const changed = module.emitBinary();
  module.dispose();
  return changed;
}

const allowed: Cost = {
  build: "full",
  path: "allowed",
  side: "request",
  instructions: 1200,
  hostCalls: ["clock_time_get", "proxy_get_shared_data", "proxy_get_shared_data"],
};

describe("what a request costs", () => {
  // Equal to the instruction: the compiler is pinned and gives the same module for the same sources, and the clock and
  // the random bytes of a measurement are always the same.
  it("every path of the three builds costs what the committed table says", () => {
    expect(differencesFrom(committedCosts(), presentCosts()), HOW_TO_RECORD).toEqual([]);
  });

  it("a second measurement gives the same number of instructions", () => {
    expect(costsOf(filterBytes("lean"))).toEqual(costsOf(filterBytes("lean")));
  });

  it("one more host call in each request shows as growth on every path", () => {
    const committed = committedCosts().filter(({ build }) => build === "lean");
    const differences = differencesFrom(committed, costsOf(readingTheClockAgain(filterBytes("lean"))));
    for (const { path, instructions, hostCalls } of committed) {
      const calls = hostCalls.length;
      expect(differences).toContainEqual(
        expect.stringContaining(`lean, ${path}, request: host calls ${calls} → ${calls + 1} (+1`),
      );
      expect(differences).toContainEqual(
        expect.stringContaining(`lean, ${path}, request: instructions ${instructions} → ${instructions + 5} (+5`),
      );
    }
  });
});

describe("a difference to the committed table", () => {
  it("a difference names the path, by how much it grew or shrank, and the host calls", () => {
    expect(differencesFrom([allowed], [{ ...allowed, instructions: 1260 }])).toEqual([
      "full, allowed, request: instructions 1200 → 1260 (+60, +5.0 %)",
    ]);
    expect(differencesFrom([allowed], [{ ...allowed, hostCalls: ["clock_time_get"] }])).toEqual([
      "full, allowed, request: host calls 3 → 1 (-2, -66.7 %): " +
        "clock_time_get, proxy_get_shared_data ×2 → clock_time_get",
    ]);
  });

  it("a path that only one of two tables has counts as a difference", () => {
    const denied = { ...allowed, path: "denied" };
    expect(differencesFrom([allowed], [denied])).toEqual([
      "full, denied, request: is not in the table",
      "full, allowed, request: is in the table only",
    ]);
  });
});

describe("the table of costs", () => {
  it("the table of costs is read as it was written", () => {
    const costs: Cost[] = [allowed, { ...allowed, side: "response", hostCalls: [] }, { ...allowed, build: "lean" }];
    expect(readCosts(`# Costs\n\n${costTable(costs)}\n`)).toEqual(costs);
  });

  it("the table of costs shows two builds side by side, with their ratio", () => {
    const [, , row] = comparisonTable([allowed], [{ ...allowed, instructions: 1260 }]).split("\n");
    const cells = row?.split("|").map((cell) => cell.trim());
    expect(cells?.slice(1, -1)).toEqual(["full", "allowed", "request", "1200", "1260", "1.050", "3", "3"]);
  });
});
