// Runs an installation for a while, with traffic and with what goes wrong in it, and draws what the dashboard shows of that.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { PanelPlan } from "../../scripts/dashboard/plan.js";
import { ROWS } from "../../scripts/dashboard/rows.js";
import { Failure } from "../../scripts/failure.js";
import { Ends, newSite } from "../fleet/parts/site.js";
import { conflict, newPolicy, outage, revocation, standstill, wrongCallers } from "./events.js";
import { FIRST_RATE, type Monitored, startMonitored } from "./monitored.js";
import { type DrawnPanel, type Line, picture } from "./picture.js";
import type { Prometheus, Series } from "./prometheus.js";
import { Traffic } from "./traffic.js";
import { withVariables } from "./variables.js";

/** One or two of each row: what can be read in a document. */
const DRAWN = [
  "Requests by outcome",
  "Requests by plan",
  "Denials by limit",
  "Shadow denials",
  "Slots in use",
  "Evictions and restores",
  "Edges by state",
  "Generation that each edge runs",
  "Silent workers",
  "How long answers take",
  "Calls that failed",
  "A revocation is everywhere",
  "Updates by kind",
  "Asks of edges by outcome",
  "Event loop lag",
];
const STEP_SECONDS = 2;
const CHOSEN = { rate: "15s", seldom: "30s" };
const OUTAGE_MS = 4000;
/** Longer than an edge may be quiet before it is silent. */
const STANDSTILL_MS = 20_000;
const REVOKED_EACH_MS = 2000;
/** Until rates have a window to be of. */
const WARM_MS = 25_000;

/** @returns SVG */
export async function drawDashboard(seconds: number, say: (line: string) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-dashboard-"));
  const ends = new Ends();
  const stop = (): void => void ends.all();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
  try {
    const site = newSite(folder, ends);
    say("starting a store, two control planes, two Envoys and a Prometheus");
    const monitored = await startMonitored(site);
    const traffic = await Traffic.start(site, monitored);
    await delay(WARM_MS);
    const from = Date.now() / 1000;
    await happen(monitored, traffic, seconds * 1000, say);
    return await drawn(monitored.prometheus, from, Date.now() / 1000);
  } finally {
    await ends.all();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Everything that the picture is to show, each at its part of the time. */
async function happen(monitored: Monitored, traffic: Traffic, ms: number, say: (line: string) => void): Promise<void> {
  const over = new AbortController();
  const revoking = revokeUntil(over.signal, monitored, traffic);
  const events: readonly (readonly [part: number, what: string, done: () => unknown])[] = [
    [0.1, "a caller with another secret", () => wrongCallers(monitored)],
    [0.15, "conflicts of the control planes", () => conflict(monitored)],
    [0.25, "a new policy", () => newPolicy(monitored, FIRST_RATE + 1)],
    [0.45, "both control planes are gone", () => outage(monitored, OUTAGE_MS)],
    [0.65, "an Envoy stands still", () => standstill(monitored, STANDSTILL_MS)],
    [0.85, "another policy", () => newPolicy(monitored, FIRST_RATE + 2)],
  ];
  const beganMs = performance.now();
  const reach = (part: number): Promise<void> => delay(Math.max(0, beganMs + part * ms - performance.now()));
  try {
    for (const [part, what, done] of events) {
      await reach(part);
      say(what);
      await done();
    }
    await reach(1);
  } finally {
    over.abort();
    await revoking;
  }
}

async function revokeUntil(over: AbortSignal, monitored: Monitored, traffic: Traffic): Promise<void> {
  while (!over.aborted) {
    // None is to be had while no control plane is there.
    await revocation(monitored, traffic).catch(() => undefined);
    await delay(REVOKED_EACH_MS);
  }
}

async function drawn(prometheus: Prometheus, from: number, to: number): Promise<string> {
  const ask = async (plan: PanelPlan): Promise<DrawnPanel> => {
    const answers = plan.queries.map(async ({ expr, legend }) =>
      (await prometheus.queryRange(withVariables(expr, CHOSEN), from, to, STEP_SECONDS)).map((series) =>
        lineOf(series, legend),
      ),
    );
    return { plan, lines: (await Promise.all(answers)).flat() };
  };
  const plans = ROWS.flatMap(({ panels }) => panels);
  const tiles = plans.filter(({ kind }) => kind === "value");
  const panels = DRAWN.map((title) => {
    const plan = plans.find((one) => one.title === title);
    if (plan === undefined) throw new Failure(`the dashboard has no panel "${title}"`);
    return plan;
  });
  const time = { from: from * 1000, to: to * 1000, step: STEP_SECONDS * 1000 };
  return picture("Sluice", time, await Promise.all(tiles.map(ask)), await Promise.all(panels.map(ask)));
}

/** Named as Grafana names it. */
function lineOf({ labels, values }: Series, legend: string): Line {
  const name = legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? "");
  return { name: name.trim(), points: values.map(([at, value]) => [at * 1000, value] as const) };
}
