// What a report says of its VM's counters: what changed, beside what the last answered report said.
import { describe, expect, it } from "vitest";
import { MAX_EDGE_BODY_BYTES, MAX_REPORT_COUNTERS_BYTES } from "../../../assembly/contract.js";
import { filterModule, type FilterBuild } from "../harness/builds/filter-modules.js";
import type { Callout } from "../harness/host/callouts.js";
import { plan, policy, reportAnswer, settings } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import { answerLeases, leased } from "../harness/scenes/leases.js";
import { nextReport } from "../harness/scenes/reports.js";

type Counters = Readonly<Record<string, readonly [answered: number, now: number]>>;

const ALLOWED = "requests.outcome=allowed.plan=default";

const countersIn = (report: Callout): Counters => (report.json as { counters?: Counters }).counters ?? {};

/** What each of a host's counters is, by the name that reports have for it; of the gauges nothing. */
function countedBy(edge: Edge): Map<string, number> {
  const counted = new Map<string, number>();
  for (const [shown, value] of edge.host.metrics.values()) {
    const [family = "", labels = ""] = shown.split(/[{}]/);
    if (!family.endsWith("_total") || value === 0) continue;
    const name = family.slice("sluice_".length, -"_total".length);
    counted.set([name, ...labels.split(",").filter(Boolean)].join(".").replaceAll('"', ""), value);
  }
  return counted;
}

describe("the counters of a report", () => {
  it("a counter that changed is reported with what the last answered report said of it", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const first = nextReport(edge);
    expect(countersIn(first)).toMatchObject({ [ALLOWED]: [0, 1], "tokens_spent.plan=default": [0, 1] });
    first.answer(200, reportAnswer());
    edge.admitted(session, 2);
    const second = nextReport(edge);
    expect(countersIn(second)).toMatchObject({ [ALLOWED]: [1, 3] });
    // What was reported and has not changed is left out, and so is what has never counted.
    expect(Object.keys(countersIn(second))).not.toContain("misses.outcome=live");
    expect(Object.keys(countersIn(first))).not.toContain("requests.outcome=missing");
  });

  it("a counter whose report was not answered is reported again, from where the last answer was", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    nextReport(edge).answer(200, reportAnswer());
    edge.admitted(session, 1);
    expect(countersIn(nextReport(edge))).toMatchObject({ [ALLOWED]: [1, 2] });
    edge.report.timeOut();
    const again = nextReport(edge);
    expect(countersIn(again)).toMatchObject({ [ALLOWED]: [1, 2] });
    again.answer(503, reportAnswer());
    edge.admitted(session, 1);
    expect(countersIn(nextReport(edge))).toMatchObject({ [ALLOWED]: [1, 3], report_failures: [0, 2] });
  });

  it("what is counted while a report is out goes with the next one", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const out = nextReport(edge);
    edge.admitted(session, 4);
    edge.flush();
    out.answer(200, reportAnswer());
    expect(countersIn(nextReport(edge))).toMatchObject({ [ALLOWED]: [1, 5] });
  });

  it("a change of policy keeps a counter, and a reloaded VM begins at 0", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    nextReport(edge).answer(200, reportAnswer());
    edge.worker(0).configure(settings(policy({ controlPlane: { reportInterval: 1000 } })));
    edge.admitted(session, 1);
    const report = nextReport(edge);
    expect(countersIn(report)).toMatchObject({ [ALLOWED]: [1, 2] });
    report.answer(200, reportAnswer());
    edge.reload(0);
    edge.admitted(session, 1);
    expect(countersIn(nextReport(edge))).toMatchObject({ [ALLOWED]: [0, 1] });
  });

  it("a counter is reported where Envoy makes no metric of it", () => {
    const edge = new Edge();
    edge.host.metrics.refused.add("sluice_tokens_spent");
    edge.sessionInTable();
    expect(countersIn(nextReport(edge))).toMatchObject({ "tokens_spent.plan=default": [0, 1] });
  });
});

describe("the counters of several reports", () => {
  it.each<FilterBuild>(["release", "lean", "settle"])(
    "the reports of the build %s say what Envoy was told",
    (build) => {
      const { edge, session } = leased(5, { workers: 2, module: filterModule(build) });
      for (const worker of [0, 1]) edge.worker(worker).request(requestWith(undefined));
      edge.admitted(session, 6, 1);
      edge.flush();
      answerLeases(edge, { tokens: { "": 10 } });
      for (const worker of [0, 1]) {
        for (const report of edge.pendingReports) report.answer(200, reportAnswer());
        nextReport(edge, worker);
      }
      const sums = new Map<string, number>();
      // All were answered but for the last of each worker, and Envoy was told of no more than those say.
      for (const report of edge.reports) {
        for (const [name, [answered, now]] of Object.entries(countersIn(report))) {
          sums.set(name, (sums.get(name) ?? 0) + now - answered);
        }
      }
      const told = countedBy(edge);
      expect(told.size).toBeGreaterThan(6);
      expect(Object.fromEntries(sums)).toEqual(Object.fromEntries(told));
    },
  );

  it("counters have 8 KiB of a report, and none of them waits for ever", () => {
    const plans = Array.from({ length: 400 }, (_, id) => plan({ id, name: `plan-${String(id).padStart(27, "0")}` }));
    const edge = new Edge({ policy: policy({ plans }) });
    const sessions = plans.map((_, id) => edge.sessionInTable({ plan: id }));
    const seen = new Set<string>();
    let reports = 0;
    for (; reports < 20 && seen.size < 2 * plans.length; reports++) {
      const report = nextReport(edge);
      const counters = countersIn(report);
      expect(JSON.stringify({ counters }).length).toBeLessThanOrEqual(MAX_REPORT_COUNTERS_BYTES);
      expect(report.body.byteLength).toBeLessThanOrEqual(MAX_EDGE_BODY_BYTES);
      for (const name of Object.keys(counters)) if (name.includes("plan=")) seen.add(name);
      report.answer(200, reportAnswer());
      // All of them go on counting: whoever was left out is not put off by the others.
      for (const session of sessions) edge.send(session);
    }
    expect(seen.size).toBe(2 * plans.length);
    // As few reports as have the room for that.
    expect(reports).toBeLessThanOrEqual(9);
  });
});
