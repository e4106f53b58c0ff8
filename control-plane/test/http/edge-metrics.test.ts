// What a scrape asks for when it reads the metrics of edges.
import { Registry } from "prom-client";
import { expect, it } from "vitest";

import type { EdgeSurvey } from "../../src/app/edges/status/edge-survey.js";
import type { EdgeView } from "../../src/app/edges/status/edge-views.js";
import { EdgeMetrics } from "../../src/http/status/edge-metrics.js";
import { currentEdge } from "../support/edge-view.js";

const VIEW = currentEdge(3);

/** Each scrape is answered what `listed` says then. */
function scraped(listed: () => Promise<EdgeView[]>) {
  const registry = new Registry();
  let asked = 0;
  const edges = async (): Promise<EdgeSurvey> => {
    asked += 1;
    const labelled = await listed();
    const states = new Map(labelled.map(({ state }) => [state, 1]));
    const double = labelled.filter((one) => one.double !== null).length;
    const clockOff = labelled.filter((one) => one.clockOff).length;
    const notWatching = labelled.filter((one) => !one.watching).length;
    return { labelled, states, double, clockOff, notWatching, clockOfMost: null };
  };
  new EdgeMetrics(registry).observe(edges, () => 1);
  return { scrape: () => registry.metrics(), asked: () => asked };
}

it("a scrape asks for the edges once, and the next one again", async () => {
  let views = [VIEW];
  const { scrape, asked } = scraped(() => Promise.resolve(views));
  const text = await scrape();
  expect(asked()).toBe(1);
  expect(text).toContain('sluice_control_edges{state="current"} 1');
  expect(text).toContain('sluice_control_edge_running_generation{edge="gw-1"} 3');
  expect(text).toContain('sluice_control_edge_log_lag{edge="gw-1"} 0');
  expect(text).toContain('sluice_control_edge_silent_workers{edge="gw-1"} 0');
  views = [];
  const next = await scrape();
  expect(asked()).toBe(2);
  expect(next).toContain('sluice_control_edges{state="current"} 0');
  expect(next).not.toContain("gw-1");
});

it("a scrape that fails does not fail the next", async () => {
  let answer = (): Promise<EdgeView[]> => Promise.reject(new Error("the store is closed"));
  const { scrape } = scraped(() => answer());
  await expect(scrape()).rejects.toThrow("the store is closed");
  answer = () => Promise.resolve([VIEW]);
  expect(await scrape()).toContain('sluice_control_edges{state="current"} 1');
});

it("an edge's running generation is the lowest of its workers', 0 if from no control plane", async () => {
  const views: EdgeView[] = [
    { ...VIEW, running: { 10: 1, 9: 3 } },
    { ...VIEW, edge: "gw-2", running: { 0: 1, 9: 3 } },
    { ...VIEW, edge: "gw-3", running: {}, silentWorkers: 2 },
  ];
  const text = await scraped(() => Promise.resolve(views)).scrape();
  expect(text).toContain('sluice_control_edge_running_generation{edge="gw-1"} 9');
  expect(text).toContain('sluice_control_edge_running_generation{edge="gw-2"} 0');
  expect(text).not.toContain('sluice_control_edge_running_generation{edge="gw-3"}');
  expect(text).toContain('sluice_control_edge_silent_workers{edge="gw-3"} 2');
});

it("edges that do not watch are counted", async () => {
  const views = [VIEW, { ...VIEW, edge: "gw-2", watching: false }, { ...VIEW, edge: "gw-3", watching: false }];
  const text = await scraped(() => Promise.resolve(views)).scrape();
  expect(text).toContain("sluice_control_edges_not_watching 2");
});

it("edges that are two Envoys and clocks that are off are counted, each clock with its offset", async () => {
  const double = { tableName: "default", addresses: [], since: 0 };
  const views: EdgeView[] = [
    { ...VIEW, double, clockOffsetMs: 250 },
    { ...VIEW, edge: "gw-2", clockOffsetMs: -720_000, clockOff: true },
    { ...VIEW, edge: "gw-3" },
  ];
  const text = await scraped(() => Promise.resolve(views)).scrape();
  expect(text).toContain("sluice_control_edges_double 1");
  expect(text).toContain("sluice_control_edges_clock_off 1");
  expect(text).toContain("sluice_control_clock_of_most_edges_offset_seconds 0");
  expect(text).toContain('sluice_control_edge_clock_offset_seconds{edge="gw-1"} 0.25');
  expect(text).toContain('sluice_control_edge_clock_offset_seconds{edge="gw-2"} -720');
  expect(text).not.toContain('sluice_control_edge_clock_offset_seconds{edge="gw-3"}');
});

it("an edge's table is shown while one of its Envoys watches that says so", async () => {
  const views: EdgeView[] = [
    { ...VIEW, tables: { capacity: 1024, records: 12 } },
    { ...VIEW, edge: "gw-2", tables: null },
  ];
  const text = await scraped(() => Promise.resolve(views)).scrape();
  expect(text).toContain('sluice_edge_table_capacity{edge="gw-1"} 1024');
  expect(text).toContain('sluice_edge_table_records{edge="gw-1"} 12');
  expect(text).not.toContain('sluice_edge_table_records{edge="gw-2"}');
});
