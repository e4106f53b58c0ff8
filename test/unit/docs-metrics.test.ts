// docs/metrics.md names every metric of both programs, and none that is not there.
import { expect, it } from "vitest";
import { Metrics } from "../../control-plane/src/http/metrics.js";
import { Edge } from "../host/edge.js";
import { tableUnder, withoutTicks } from "./docs.js";

/** What the metrics library adds about the process. */
const DEFAULTS = /^sluice_control_(process|nodejs)_/;

function namesUnder(title: string): string[] {
  return tableUnder("docs/metrics.md", title)
    .map(([metric = ""]) => withoutTicks(metric))
    .sort();
}

/** `sluice_requests.outcome.limited.plan.default` as `sluice_requests{outcome="limited",plan}`. */
function documented(name: string): string {
  const [metric = "", ...labels] = name.replace(/\.plan\..*/, ".plan").split(".");
  if (labels[0] !== "outcome") return labels.length === 0 ? metric : `${metric}{${labels.join()}}`;
  const [, outcome = "", ...plan] = labels;
  return `${metric}{${[`outcome="${outcome}"`, ...plan].join()}}`;
}

it("names every metric of the filter, with its outcomes and labels", () => {
  const edge = new Edge();
  const session = edge.sessionInTable({ tokens: 0 });
  expect(edge.send(session).status).toBe(429);
  edge.flush();
  expect(namesUnder("The filter")).toEqual(edge.host.metrics.names().map(documented).sort());
});

it("names every metric of the control plane, with its labels", async () => {
  const metrics = new Metrics(() => Promise.resolve(new Map([["default", 1]])));
  metrics.sessionRemoved("revoked", 1);
  metrics.acquired("live");
  metrics.httpError("INTERNAL");
  metrics.count("opened");
  const all = await metrics.registry.getMetricsAsJSON();
  const ours = all.filter(({ name, type }) => !DEFAULTS.test(name) && String(type) !== "histogram");
  const named = ours.map(({ name, values }) => {
    const labels = Object.keys(values[0]?.labels ?? {}).join();
    return labels === "" ? name : `${name}{${labels}}`;
  });
  const histograms = all.filter(({ name, type }) => !DEFAULTS.test(name) && String(type) === "histogram");
  expect(namesUnder("The control plane")).toEqual([...named, ...histograms.map(({ name }) => name)].sort());
});
