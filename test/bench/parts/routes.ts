// What routes of the policy cost: among how many a request finds its own, and what an exempt one saves.
import { ADDED_COLUMNS, addedRow, ratioRows, ratiosByName, type AddedRatio } from "./added-cpu.js";
import { cpuTimeNs } from "../stand/cpu-time.js";
import { h2load, requireAll } from "../stand/load.js";
import { withInstallation, type Part } from "../stand/part.js";
import { inTurns, type Turn } from "./rounds.js";
import type { Section } from "../stand/section.js";
import { BARE, sluiceVariant, type FilterPath, type Variant } from "../stand/variants.js";

const COUNTS = [1, 10, 100, 1000];
const RATIOS: readonly AddedRatio[] = [
  ["routes.oneOfNone", "routes1", "sluice"],
  ["routes.tenOfOne", "routes10", "routes1"],
  ["routes.hundredOfOne", "routes100", "routes1"],
  ["routes.thousandOfOne", "routes1000", "routes1"],
  ["routes.exemptOfNone", "exempt", "sluice"],
];

interface Run {
  readonly variant: Variant;
  readonly path: string;
}

export async function routes(part: Part): Promise<Section[]> {
  const runs = routeRuns(part.filterPath);
  const variants = runs.map(({ variant }) => variant);
  return withInstallation(part, "routes", { variants }, async (installation) => {
    const size = part.quick ? { requests: 8_000, rounds: 6 } : { requests: 20_000, rounds: 24 };
    part.say(`routes: ${runs.length} runs, ${size.rounds} rounds of ${size.requests} requests`);
    const token = await installation.issue("plenty");
    const turns = runs.map(({ variant: { name }, path }): Turn => {
      const load = async (): Promise<number> => {
        const counts = await h2load(installation.portOf(name), size.requests, token, { path });
        requireAll(name, counts, "2xx", size.requests);
        return size.requests;
      };
      return { name, load };
    });
    const rounds = await inTurns(turns, size.rounds, () => cpuTimeNs(installation.envoyPid));
    const section: Section = {
      title: "Routes of the policy",
      method:
        `CPU that a request adds to the bare listener: ${size.rounds} rounds of ${size.requests} requests a variant, ` +
        "h2load over HTTP/2, lean build. Each route has a path of its own with one parameter; a request has the last.",
      columns: ADDED_COLUMNS,
      rows: [
        ...variants.slice(1).map(({ name, what }) => addedRow(rounds, name, "bare", `${name}: ${what}`)),
        ...ratioRows(rounds, RATIOS),
      ],
      ratios: ratiosByName(rounds, RATIOS),
    };
    return [section];
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
