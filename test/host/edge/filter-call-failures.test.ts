// An edge that cannot reach the control plane says so in Envoy's log: once a minute at most, until it is over.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { callingEdge } from "../harness/scenes/calling-edge.js";
import { policy, reportAnswer, settings, watchAnswer } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";

const MINUTE_MS = 60_000;

describe("a failure of the calls in Envoy's log", () => {
  const said = (edge: Edge, level: "warn" | "info"): string[] =>
    edge.host.messages(level).flatMap((line) => /^sluice: (calls to .*)/.exec(line)?.[1] ?? []);
  const lines = (edge: Edge): string[] => said(edge, "warn");
  const recoveries = (edge: Edge): string[] => said(edge, "info");

  /** Each watch fails until the time has passed. Returns how many have. */
  function failFor(edge: Edge, ms: number): number {
    let failed = 0;
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      edge.passMs(TICK_MS);
      for (const watch of edge.watches.filter(({ state }) => state === "pending")) {
        watch.refuse();
        failed++;
      }
      for (const report of edge.pendingReports) report.answer(200, reportAnswer());
    }
    return failed;
  }

  it("a failed call's log line names the cluster, the call and what is wrong", () => {
    const edge = callingEdge({ settings: { controlPlane: { cluster: "plane_eu" } } });
    edge.watch.refuse();
    edge.flush();
    expect(lines(edge)).toEqual(['calls to cluster "plane_eu" fail: watch: no host of it can be reached']);
    edge.report.answer(401);
    edge.flush();
    expect(lines(edge)[1]).toMatch(
      /^calls to cluster "plane_eu" fail: report: the credential is denied, SLUICE_SECRET/,
    );
    expect(lines(edge).join()).not.toContain(edge.mint.edgeCredential);
  });

  it("a failure is logged on the next tick, then once a minute with its count", () => {
    const edge = callingEdge();
    const failed = failFor(edge, 2 * MINUTE_MS + 1000);
    expect(failed).toBeGreaterThan(200);
    expect(lines(edge)).toHaveLength(3);
    const times = lines(edge).map((line) => Number(/\((\d+) times/.exec(line)?.[1] ?? 1));
    expect(times[0]).toBe(1);
    expect(times.reduce((sum, each) => sum + each)).toBeGreaterThan(failed - 10);
    expect(times.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(failed);
  });

  it("two kinds of failure in the same minute are logged apart", () => {
    const edge = callingEdge();
    edge.watch.refuse();
    edge.passMs(600);
    edge.watch.answer(401);
    edge.flush();
    expect(lines(edge)).toHaveLength(2);
  });

  it("the end of a failure has one log line; a call that never failed has none", () => {
    const edge = callingEdge();
    failFor(edge, 2000);
    expect(recoveries(edge)).toEqual([]);
    edge.passMs(600);
    for (let cursor = 42; cursor < 46; cursor++) edge.watch.answer(200, watchAnswer({ cursor }));
    expect(recoveries(edge)).toEqual(['calls to cluster "sluice_control_plane" succeed again: watch']);
  });

  it("two installations in one VM log failures of each cluster apart", () => {
    const edge = new Edge({ settings: { controlPlane: { cluster: "plane_a" } } });
    edge.flush();
    const [a, slow] = [edge.watch, edge.worker(0).open(requestWith(edge.newSession()))];
    edge.worker(0).configure(settings(policy(), { controlPlane: { cluster: "plane_b" } }));
    edge.worker(0).tick();
    const b = edge.watches.at(-1);
    a.refuse();
    edge.flush();
    b?.answer(200, watchAnswer({}));
    expect(recoveries(edge)).toEqual([]);
    edge.watches.at(-1)?.refuse();
    edge.flush();
    expect(lines(edge)).toEqual([
      'calls to cluster "plane_a" fail: watch: no host of it can be reached',
      'calls to cluster "plane_b" fail: watch: no host of it can be reached',
    ]);
    slow.abandon();
  });

  it("each worker logs its own failures", () => {
    const edge = callingEdge({ workers: 2 });
    for (const report of edge.pendingReports) report.refuse();
    edge.flush();
    expect(lines(edge)).toHaveLength(2);
  });
});
