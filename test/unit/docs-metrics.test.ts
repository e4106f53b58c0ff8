// docs/metrics.md names exactly the metrics of both programs, and alerts and PromQL name no others.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { MetricObjectWithValues, MetricValue } from "prom-client";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ConnectionCounts } from "../../control-plane/src/http/status/connection-metrics.js";
import { DurationMetrics } from "../../control-plane/src/http/status/duration-metrics.js";
import { EdgeMetrics } from "../../control-plane/src/http/status/edge-metrics.js";
import { FigureMetrics } from "../../control-plane/src/http/status/figure-metrics.js";
import { observeLog } from "../../control-plane/src/http/status/log-metrics.js";
import { spanCounter } from "../../control-plane/src/http/status/span-metrics.js";
import { LeaseMetrics } from "../../control-plane/src/http/status/lease-metrics.js";
import { Metrics } from "../../control-plane/src/http/status/metrics.js";
import { observeClock, observeStoreClock } from "../../control-plane/src/http/status/clock-metrics.js";
import { observeIssuers } from "../../control-plane/src/http/status/issuer-metrics.js";
import { observePolicy } from "../../control-plane/src/http/status/policy-metrics.js";
import { ClaimMetrics, observeStore, SharedStoreMetrics } from "../../control-plane/src/http/status/store-metrics.js";
import { UsageMetrics } from "../../control-plane/src/http/status/usage-metrics.js";
import { projectRoot } from "../../scripts/project-root.js";
import { filterModule } from "../host/harness/builds/filter-modules.js";
import { policy } from "../host/harness/scenes/documents.js";
import { Edge, requestWith } from "../host/harness/scenes/edge.js";
import { fleetPolicy } from "../host/harness/scenes/leases.js";
import { expressionsIn, sectionOf, tableUnder, textOf, withoutTicks } from "./docs.js";
import { FAMILIES } from "../../control-plane/src/domain/figures/counter-families.js";
import { MAX_OWN, MAX_SERIES_OF_EDGE } from "../../control-plane/src/domain/figures/series-room.js";
import { WORKER_KEPT_MS } from "../../control-plane/src/app/edges/status/workers.js";
import type { Family } from "../../control-plane/src/domain/figures/counter-families.js";
import { currentEdge } from "../../control-plane/test/support/edge-view.js";

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

const EDGE = currentEdge(1, { lastReportAt: 1, clockOffsetMs: 1, tables: { capacity: 1024, records: 1 } });

/** What edges have, or have counted. */
const OF_EDGES = /^sluice_edge_/;

/** What the metrics library adds about the process. */
const DEFAULTS = /^(process|nodejs)_/;

// One for each outcome, and each call: the page has them in one row, and names the words.
const CALL = /^sluice_calls_total\{call="(\w+)",outcome="(\w+)"\}$/;
const SETTLEMENT = /^sluice_settlements_total\{outcome="(\w+)"\}$/;
const ASK = /^sluice_lease_asks_total\{outcome="(\w+)"\}$/;

function namesUnder(title: string): string[] {
  return tableUnder("docs/metrics.md", title)
    .map(([metric = ""]) => withoutTicks(metric))
    .sort();
}

/** `sluice_requests_total{outcome="limited",plan="default"}` without the plan's name, as the page has it. */
const documented = (name: string): string =>
  name
    .replace(CALL, "sluice_calls_total{call,outcome}")
    .replace(SETTLEMENT, "sluice_settlements_total{outcome}")
    .replace(ASK, "sluice_lease_asks_total{outcome}")
    .replace('plan="default"', "plan")
    .replace('limit="default"', "limit");

it("docs/metrics.md names every metric of the filter, with its outcomes and labels", () => {
  const edge = new Edge({ policy: policy({ routes: [{ match: { path: "/shadow" }, enforcement: "shadow" }] }) });
  const session = edge.sessionInTable({ tokens: 0 });
  expect(edge.send(session).status).toBe(429);
  expect(edge.worker(0).request(requestWith(session, "/shadow")).status).toBe(200);
  edge.flush();
  const settling = new Edge({ module: filterModule("settle"), policy: fleetPolicy() });
  settling.flush();
  const names = [...edge.host.metrics.names(), ...settling.host.metrics.names()];
  expect(namesUnder("The filter")).toEqual([...new Set(names.map(documented))].sort());
  const words = new Set(
    names.flatMap((name) => (CALL.exec(name) ?? SETTLEMENT.exec(name) ?? ASK.exec(name))?.slice(1) ?? []),
  );
  const section = sectionOf("docs/metrics.md", "The filter");
  expect([...words].filter((word) => !section.includes(`\`${word}\``))).toEqual([]);
});

/** Every metric of the control plane, each counted once so that its labels show. */
async function ofControlPlane(): Promise<MetricObjectWithValues<MetricValue<string>>[]> {
  const metrics = new Metrics(() => Promise.resolve(new Map([["default", 1]])));
  metrics.sessionRemoved("revoked", 1);
  metrics.acquired("live");
  metrics.httpError("INTERNAL");
  new LeaseMetrics(metrics.registry).askDropped();
  const edges = new EdgeMetrics(metrics.registry);
  edges.watchEnded("idle");
  edges.observe(
    () =>
      Promise.resolve({
        labelled: [EDGE],
        states: new Map(),
        double: 0,
        clockOff: 0,
        notWatching: 0,
        clockOfMost: null,
      }),
    () => 1,
  );
  const figures = new FigureMetrics(metrics.registry);
  for (const [family, labels] of Object.entries(FAMILIES) as [Family, object][]) {
    const named = Object.fromEntries(Object.keys(labels).map((label) => [label, "a"]));
    figures.counted({ family, labels: { edge: "gw-1", ...named } }, 1);
  }
  figures.sharedSeries();
  const durations = new DurationMetrics(metrics.registry);
  durations.edgeCallTook("report", 1);
  durations.updateTook("report", 1);
  observeLog(metrics.registry, () => 1);
  spanCounter(metrics.registry);
  new ConnectionCounts(metrics.registry).of("api", () => ({ authenticated: 1, unauthenticated: 1 }));
  observeClock(metrics.registry, { jumps: { forward: 0, backward: 0 }, waitingJumpMs: () => 0 });
  observeStoreClock(metrics.registry, { machineAheadMs: () => 0 });
  observeIssuers(metrics.registry, { isFileRejected: () => false });
  const no = (): boolean => false;
  observePolicy(metrics.registry, { current: () => undefined, isFileRejected: no, isHeld: no, isBehind: no });
  observeStore(metrics.registry, { unwritable: () => undefined });
  new ClaimMetrics(metrics.registry).claimed("sweep", "taken");
  const updates = new SharedStoreMetrics(metrics.registry);
  updates.conflicted("session");
  updates.gaveUp("session");
  const usage = new UsageMetrics(metrics.registry);
  usage.reported("accepted", 1);
  usage.tokensConsumed("default", 1);
  const all = await metrics.registry.getMetricsAsJSON();
  return all.filter(({ name }) => !DEFAULTS.test(name));
}

const isHistogram = ({ type }: { type: unknown }): boolean => String(type) === "histogram";

it.each([
  ["of the control plane", "The control plane", false],
  ["of edges at the control plane", "The edges, at the control plane", true],
])("docs/metrics.md names every metric %s, with its labels", async (_whose, title, isOfEdges) => {
  const ours = (await ofControlPlane()).filter(({ name }) => OF_EDGES.test(name) === isOfEdges);
  const named = ours.map((metric) => {
    const labels = isHistogram(metric) ? "" : Object.keys(metric.values[0]?.labels ?? {}).join();
    return labels === "" ? metric.name : `${metric.name}{${labels}}`;
  });
  expect(namesUnder(title)).toEqual(named.sort());
});

it("the page on series without room says how many there are, and that idle edges make room", () => {
  const page = textOf("docs/runbook/SluiceSeriesDropped.md").replaceAll(/\s+/g, " ");
  for (const bound of [MAX_OWN, MAX_SERIES_OF_EDGE]) expect(page).toContain(bound.toLocaleString("en"));
  expect(WORKER_KEPT_MS).toBe(3_600_000);
  expect(page).toContain("those of edges that counted nothing for an hour make room");
});

describe("expressions for Prometheus", () => {
  /** Envoy's own that an Envoy 1.40 with envoy.yaml shows. */
  const OF_ENVOY = [
    "envoy_wasm_wasm_vm_count",
    "envoy_server_concurrency",
    "envoy_server_uptime",
    "envoy_http_downstream_rq_xx",
  ];
  /** Of names that an Envoy makes of the plugin's: what the tests of the proxies' alerts make fire. */
  const PATTERNS = /\{__name__=~"[^"]+"\}/;
  const OF_ISTIO = ["pilot_total_xds_rejects", "istio_agent_wasm_config_conversion_count", "istio_requests_total"];
  const OF_CLUSTERS = ["envoy_cluster_upstream_rq_xx"];
  const FILES = ["envoy/prometheus/rules.yaml", "envoy/prometheus/mesh-rules.yaml"];
  const alerts = FILES.flatMap((file) => (parse(textOf(file)) as { groups: { rules: Rule[] }[] }).groups).flatMap(
    (group) => group.rules,
  );

  async function known(): Promise<Set<string>> {
    const filter = namesUnder("The filter").map((name) => name.replace(/\{.*/, ""));
    const plane = (await ofControlPlane()).flatMap((metric) =>
      isHistogram(metric) ? ["_bucket", "_sum", "_count"].map((part) => metric.name + part) : [metric.name],
    );
    return new Set([...filter, ...plane, ...OF_ENVOY, ...OF_ISTIO, ...OF_CLUSTERS]);
  }

  const metricsIn = (expression: string): string[] =>
    expression
      .replaceAll(new RegExp(PATTERNS, "g"), "")
      .replaceAll(/\b(?:by|on) \([^)]*\)/g, "")
      .match(/(?<!")\b(?:sluice|envoy|pilot|istio)_\w+(?=[\s{[)*]|$)/g) ?? [];

  it.each(alerts)("the expressions of the alert $alert name metrics that there are", async ({ expr }) => {
    const names = await known();
    if (!PATTERNS.test(expr)) expect(metricsIn(expr)).not.toEqual([]);
    expect(metricsIn(expr).filter((name) => !names.has(name))).toEqual([]);
  });

  it("the expressions of docs/metrics.md name metrics that there are", async () => {
    const names = await known();
    const rows = tableUnder("docs/metrics.md", "What is asked for most");
    for (const [subject = "", expression = ""] of rows) {
      expect(metricsIn(expression), subject).not.toEqual([]);
      expect(metricsIn(expression).filter((name) => !names.has(name))).toEqual([]);
    }
  });

  it("no expression of the documents sums what each control plane shows of the store", () => {
    const pages = readdirSync(join(projectRoot, "docs/runbook")).map((name) => `docs/runbook/${name}`);
    const asked = tableUnder("docs/metrics.md", "What is asked for most").map(([, expression = ""]) => expression);
    const all = [...asked, ...pages.flatMap((page) => expressionsIn(textOf(page)))];
    const shown = String.raw`sluice_control_(?:sessions_active|edges?_?(?!\w*_total)\w*)\b`;
    const summed = new RegExp(String.raw`sum(?: by \([^)]*\))? ?\(${shown}`);
    expect("sum by (plan) (sluice_control_sessions_active)").toMatch(summed);
    expect(all.filter((expression) => summed.test(expression))).toEqual([]);
  });

  it("the expressions of the runbook name metrics that there are", async () => {
    const names = await known();
    const pages = readdirSync(join(projectRoot, "docs/runbook")).map((name) => `docs/runbook/${name}`);
    const wrong = pages.flatMap((page) => {
      const named = expressionsIn(textOf(page)).flatMap(metricsIn);
      return named.filter((name) => !names.has(name)).map((name) => `${page}: ${name}`);
    });
    expect(wrong).toEqual([]);
  });
});
