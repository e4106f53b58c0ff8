// What routes of the policy cost: among how many a request finds its own, and what an exempt one saves.
import type { AddedRatio } from "./added-cpu.js";
import { compare, type Run } from "./compared.js";
import type { Part } from "../stand/part.js";
import type { Section } from "../stand/section.js";
import { BARE, sluiceVariant, type FilterPath } from "../stand/variants.js";

const COUNTS = [1, 10, 100, 1000];
const RATIOS: readonly AddedRatio[] = [
  ["routes.oneOfNone", "routes1", "sluice"],
  ["routes.tenOfOne", "routes10", "routes1"],
  ["routes.hundredOfOne", "routes100", "routes1"],
  ["routes.thousandOfOne", "routes1000", "routes1"],
  ["routes.exemptOfNone", "exempt", "sluice"],
];

export async function routes(part: Part): Promise<Section[]> {
  return compare(part, {
    name: "routes",
    title: "Routes of the policy",
    method: "Lean build. Each route has a path of its own with one parameter; a request has the last.",
    runs: routeRuns(part.filterPath),
    ratios: RATIOS,
  });
}

function routeRuns(filterPath: FilterPath): Run[] {
  const path = (index: number): string => `/v1/things-${index}/7`;
  const table = { capacity: 8192 };
  const many = COUNTS.map((count): Run => {
    const all = Array.from({ length: count }, (_, index) => ({ match: { template: `/v1/things-${index}/{id}` } }));
    const what = count === 1 ? "one route" : `the last of ${count} routes`;
    return {
      variant: sluiceVariant(`routes${count}`, what, filterPath, { table, routes: all }),
      path: path(count - 1),
    };
  });
  const exempt = [{ match: { prefix: "/v1" }, exempt: true }];
  return [
    { variant: BARE, path: path(0) },
    { variant: sluiceVariant("sluice", "no routes", filterPath, { table }), path: path(0) },
    ...many,
    { variant: sluiceVariant("exempt", "an exempt route", filterPath, { table, routes: exempt }), path: path(0) },
  ];
}
