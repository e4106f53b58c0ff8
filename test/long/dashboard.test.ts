// The dashboard's queries, asked of a real Prometheus that hears of two real control planes over one store, whose Envoys have
// traffic of every kind, revocations, new policies and an outage behind them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { until } from "../../control-plane/test/support/until.js";
import { ROWS } from "../../scripts/dashboard/rows.js";
import { findProgram } from "../../scripts/test/get-prometheus.js";
import { notRun } from "../../scripts/test/not-run.js";
import { conflict, newPolicy, outage, revocation, wrongCallers } from "../dashboard/events.js";
import { FIRST_RATE, type Monitored, startMonitored } from "../dashboard/monitored.js";
import { Traffic } from "../dashboard/traffic.js";
import { withVariables } from "../dashboard/variables.js";
import { Ends, newSite } from "../fleet/parts/site.js";

const START_MS = 180_000;
const OUTAGE_MS = 2000;

const found = await findProgram("prometheus");
const ends = new Ends();
const folder = mkdtempSync(join(tmpdir(), "sluice-dashboard-test-"));
let monitored: Monitored;
let traffic: Traffic;

beforeAll(async () => {
  if ("reason" in found) return;
  const site = newSite(folder, ends);
  monitored = await startMonitored(site);
  traffic = await Traffic.start(site, monitored);
}, START_MS);
beforeEach((context) => {
  if ("reason" in found) notRun(context, found.reason);
});
afterAll(async () => {
  await ends.all();
  rmSync(folder, { recursive: true, force: true });
}, START_MS);

const QUERIES = ROWS.flatMap(({ panels }) =>
  panels.flatMap(({ title, queries }) => queries.map(({ expr, legend }) => ({ panel: `${title}: ${legend}`, expr }))),
);

/** The panels that have shown nothing yet. A window as long as the test: what has happened once is in it. */
async function unanswered(among: typeof QUERIES): Promise<typeof QUERIES> {
  const answers = among.map(async (query) => {
    const series = await monitored.prometheus.query(withVariables(query.expr, { rate: "10m" }));
    return series.length === 0 ? [query] : [];
  });
  return (await Promise.all(answers)).flat();
}

/** The one value of a query. */
async function valueOf(expr: string): Promise<number> {
  const [series] = await monitored.prometheus.query(expr);
  return series?.values[0]?.[1] ?? NaN;
}

it("a live Prometheus answers every query of the dashboard with at least one series", async () => {
  await outage(monitored, OUTAGE_MS);
  await conflict(monitored);
  await wrongCallers(monitored);
  await newPolicy(monitored, FIRST_RATE + 1);
  let left = QUERIES;
  await until(async () => {
    await revocation(monitored, traffic);
    left = await unanswered(left);
    expect(left).toEqual([]);
  });
});

it("two control planes do not make two of an edge, a session or a generation", async () => {
  const panel = (title: string): string => {
    const plan = ROWS.flatMap(({ panels }) => panels).find((one) => one.title === title);
    return withVariables(plan?.queries[0].expr ?? "");
  };
  expect(await valueOf(panel("Control planes"))).toBe(2);
  expect(await valueOf(`sum(${panel("Edges by state")})`)).toBe(monitored.envoys.length);
  await until(async () => {
    const [{ api }] = monitored.planes;
    const counted = [...(await api.metrics())].filter(([name]) => name.startsWith("sluice_control_sessions_active"));
    const sessions = counted.reduce((sum, [, value]) => sum + value, 0);
    expect(sessions).toBeGreaterThan(0);
    expect(await valueOf(panel("Sessions"))).toBe(sessions);
  });
});

it("the dashboard's variables offer the job, both edges and every plan of the policy", async () => {
  const { prometheus } = monitored;
  const offered = { job: "sluice", edge: ["gateway-a", "gateway-b"], plan: ["free", "gold", "team"] };
  expect(await prometheus.labelValues("job", "sluice_control_watches_held")).toEqual([offered.job]);
  const edges = '{__name__=~"sluice_control_edge_running_generation|sluice_edge_requests_total"}';
  expect(await prometheus.labelValues("edge", edges)).toEqual(offered.edge);
  expect(await prometheus.labelValues("plan", "sluice_edge_requests_total")).toEqual(offered.plan);
});
