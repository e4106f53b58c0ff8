// The copies of the filter that npm start makes: one a build, and none that is no longer needed.
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { forgetOldFilters, versionedFilter } from "../../scripts/filter-file.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-filter-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A start with a build that has this content, so many seconds after the first one. */
function started(content: string, atS: number): string {
  const built = join(folder, "built.wasm");
  writeFileSync(built, content);
  const copy = versionedFilter(built, join(folder, "filter"));
  utimesSync(copy, atS, atS);
  return copy;
}

const left = (): string[] => readdirSync(join(folder, "filter")).sort();

it("filters are kept of the present build and of the one before, and of no other", () => {
  started("first", 1);
  started("second", 2);
  const before = started("third", 3);
  const present = started("fourth", 4);
  forgetOldFilters(present);
  expect(left()).toEqual([before, present].map((file) => basename(file)).sort());
  expect(readFileSync(present, "utf8")).toBe("fourth");
});

it("filters are kept of the build that ran last, whenever it was built first", () => {
  started("first", 1);
  started("second", 2);
  const again = started("first", 3);
  const present = started("third", 4);
  forgetOldFilters(present);
  expect(left()).toEqual([again, present].map((file) => basename(file)).sort());
});

it("filters alone are taken away: another file in that folder stays", () => {
  for (const [atS, content] of ["first", "second", "third"].entries()) started(content, atS);
  writeFileSync(join(folder, "filter/mine.wasm"), "mine");
  forgetOldFilters(started("fourth", 9));
  expect(left()).toHaveLength(3);
  expect(left()).toContain("mine.wasm");
});
