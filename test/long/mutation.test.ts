// Lines that could go: a sample of small changes of the sources, each of which some test notices. The seed is fixed, so that
// the same sources give the same result; `npm run mutation -- --seed N --sample N` tries others.
import { expect, it } from "vitest";
import { judgeControlPlane } from "../mutation/control-plane/judge.js";
import { EQUIVALENTS } from "../mutation/equivalents.js";
import { judgeFilter } from "../mutation/filter/judge.js";
import { survivorsOf } from "../mutation/mutant.js";
import { reportLines } from "../mutation/report.js";

const SEED = 1;
const BLOCKS = 16;
const FILTER_MUTANTS = 40;
const HOURS_MS = 2 * 3_600_000;

it(
  "a sample of changes of the control plane's decisions is noticed by its tests",
  async () => {
    const judged = await judgeControlPlane(SEED, BLOCKS, "");
    const lost = survivorsOf(judged, EQUIVALENTS);
    console.log(reportLines("control plane", SEED, judged, lost).join("\n"));
    expect(judged.length).toBeGreaterThan(0);
    expect(lost).toEqual([]);
  },
  HOURS_MS,
);

it(
  "a sample of changes of the filter is noticed by its tests",
  async () => {
    const judged = await judgeFilter(SEED, FILTER_MUTANTS, "");
    const lost = survivorsOf(judged, EQUIVALENTS);
    console.log(reportLines("filter", SEED, judged, lost).join("\n"));
    expect(judged.length).toBeGreaterThan(0);
    expect(lost).toEqual([]);
  },
  HOURS_MS,
);
