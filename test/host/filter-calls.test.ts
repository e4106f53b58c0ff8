// An edge that cannot reach the control plane says so: each call is counted by its outcome, and a fault stands in Envoy's
// log, once a minute at most, until it is over.
import { describe, expect, it } from "vitest";
import { HEADER_EDGE, MAX_EDGE_ANSWER_BYTES, TICK_MS } from "../../assembly/contract.js";
import type { Callout } from "./callouts.js";
import {
  Edge,
  LOG,
  REPORT_INTERVAL_MS,
  liveAnswer,
  policy,
  reportAnswer,
  requestWith,
  settings,
  watchAnswer,
} from "./edge.js";

const MINUTE_MS = 60_000;
type Call = "acquire" | "report" | "watch";

/** An edge with one call of each kind out. */
function calling(options: ConstructorParameters<typeof Edge>[0] = {}): Edge {
  const edge = new Edge({ policy: policy({ onUnreachable: "deny" }), ...options });
  edge.send(edge.newSession());
  edge.clock.advanceMs(REPORT_INTERVAL_MS);
  edge.flush();
  return edge;
}

function callOf(edge: Edge, call: Call): Callout {
  if (call === "acquire") return edge.callout;
  return call === "report" ? edge.report : edge.watch;
}

function counted(edge: Edge, call: string): Record<string, number> {
  edge.flush();
  const prefix = `sluice_calls_total.call.${call}.outcome.`;
  const names = edge.host.metrics.names().filter((name) => name.startsWith(prefix));
  const all = names.map((name) => [name.slice(prefix.length), edge.host.metrics.sum(name)] as const);
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

const goodAnswers: Record<Call, string> = { acquire: liveAnswer(), report: reportAnswer(), watch: watchAnswer({}) };
const KINDS: readonly Call[] = ["acquire", "report", "watch"];
const json = { "content-type": "application/json" };
const problem = { "content-type": "application/json; charset=utf-8" };

describe.each(KINDS)("the outcome of an %s", (call) => {
  const outcomes: [string, string, (out: Callout) => void][] = [
    ["an answer", "ok", (out) => { out.answer(200, goodAnswers[call], json); }],
    ["a 503 as text, which is Envoy's own", "no_host", (out) => { out.refuse(); }],
    ["a 503 as JSON, which is the control plane's", "overloaded", (out) => { out.answer(503, '{"code":"X"}', problem); }],
    ["a 504", "timeout", (out) => { out.timeOut(); }],
    ["a 401", "unauthorized", (out) => { out.answer(401, "{}", json); }],
    ["a 403", "unauthorized", (out) => { out.answer(403, "{}", json); }],
    ["a 429", "overloaded", (out) => { out.answer(429, "{}", json); }],
    ["a 500", "error", (out) => { out.answer(500, "", json); }],
    ["a 404", "error", (out) => { out.answer(404, "", json); }],
    ["a 204", "error", (out) => { out.answer(204); }],
    ["a connection that broke", "error", (out) => { out.reset(); }],
    ["a 200 that is no JSON", "malformed", (out) => { out.answer(200, "<html>", json); }],
    ["a 200 without a body", "malformed", (out) => { out.answer(200, "", json); }],
    ["a 200 of another kind", "malformed", (out) => { out.answer(200, '{"status":"ok"}', json); }],
    ["a 200 of more than 1 MiB", "malformed", (out) => { out.answer(200, padded(goodAnswers[call]), json); }],
  ];

  it.each(outcomes)("that is %s is counted as %s, and as nothing else", (_what, outcome, answer) => {
    const edge = calling();
    answer(callOf(edge, call));
    expect(counted(edge, call)).toEqual({ [outcome]: 1 });
    expect(edge.worker(0).failure).toBeUndefined();
  });

  it.each([
    ["no cluster of its name", 2, "no_cluster"],
    ["no healthy host in it", 10, "no_host"],
    ["some other fault", 6, "error"],
  ])("for which Envoy has %s is counted too, though no answer will come", (_what, status, outcome) => {
    const edge = new Edge({ policy: policy({ onUnreachable: "deny" }) });
    edge.host.dispatchResult = status;
    edge.send(edge.newSession());
    edge.clock.advanceMs(REPORT_INTERVAL_MS);
    edge.worker(0).tick();
    expect(counted(edge, call)).toMatchObject({ [outcome]: 1 });
  });
});

function padded(answer: string): string {
  return answer + " ".repeat(MAX_EDGE_ANSWER_BYTES);
}

describe("all outcomes of all calls", () => {
  it("stand at 0 from the first moment, so that an alert can be written before it is needed", () => {
    const edge = new Edge();
    const names = edge.host.metrics.names().filter((name) => name.startsWith("sluice_calls_total"));
    expect(names).toHaveLength(24);
    expect(edge.host.metrics.sum("sluice_calls_total")).toBe(0);
  });
});

describe("an answer of more than 1 MiB", () => {
  it("is not read, of whatever call", () => {
    const edge = calling();
    let read = 0;
    edge.host.hooks.each(
      "before",
      (call) => call.name === "proxy_get_buffer_bytes",
      () => read++,
    );
    for (const call of KINDS) callOf(edge, call).answer(200, padded(goodAnswers[call]), json);
    expect(read).toBe(0);
  });
});

describe("a fault of the calls in Envoy's log", () => {
  const said = (edge: Edge, level: "warn" | "info"): string[] =>
    edge.host.messages(level).flatMap((line) => /^sluice: (calls to .*)/.exec(line)?.[1] ?? []);
  const lines = (edge: Edge): string[] => said(edge, "warn");
  const recoveries = (edge: Edge): string[] => said(edge, "info");

  /** Each watch is refused until the time has passed. */
  function refuseFor(edge: Edge, ms: number): number {
    let refused = 0;
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      edge.passMs(TICK_MS);
      for (const watch of edge.watches.filter(({ state }) => state === "pending")) {
        watch.refuse();
        refused++;
      }
      for (const report of edge.pendingReports) report.answer(200, reportAnswer());
    }
    return refused;
  }

  it("names the cluster, the call and what is wrong, in words", () => {
    const edge = calling({ settings: { controlPlane: { cluster: "plane_eu" } } });
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

  it("is said on the next tick, then once a minute at most, with the number of times since", () => {
    const edge = calling();
    const refused = refuseFor(edge, 2 * MINUTE_MS + 1000);
    expect(refused).toBeGreaterThan(200);
    expect(lines(edge)).toHaveLength(3);
    const times = lines(edge).map((line) => Number(/\((\d+) times/.exec(line)?.[1] ?? 1));
    expect(times[0]).toBe(1);
    expect(times.reduce((sum, each) => sum + each)).toBeGreaterThan(refused - 10);
    expect(times.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(refused);
  });

  it("is said apart from another fault of the same minute", () => {
    const edge = calling();
    edge.watch.refuse();
    edge.passMs(600);
    edge.watch.answer(401);
    edge.flush();
    expect(lines(edge)).toHaveLength(2);
  });

  it("has one line at its end, and none for a call that never failed", () => {
    const edge = calling();
    refuseFor(edge, 2000);
    expect(recoveries(edge)).toEqual([]);
    edge.passMs(600);
    for (let cursor = 42; cursor < 46; cursor++) edge.watch.answer(200, watchAnswer({ cursor }));
    expect(recoveries(edge)).toEqual(['calls to cluster "sluice_control_plane" succeed again: watch']);
  });

  it("is said of each cluster by itself, where two installations share a VM", () => {
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

  it("of each worker is said by that worker", () => {
    const edge = calling({ workers: 2 });
    for (const report of edge.pendingReports) report.refuse();
    edge.flush();
    expect(lines(edge)).toHaveLength(2);
  });
});

describe("the header that names the edge on each call", () => {
  it.each([
    ["gw-1", "gw-1"],
    ["Zürich gateway", "Z??rich?gateway"],
    ["限", "???"],
    ['a"b\\c', 'a"b\\c'],
    ["n".repeat(256), "n".repeat(256)],
    ["~!", "~!"],
  ])("for the node id %j is %j", (nodeId, header) => {
    const edge = calling({ nodeId });
    for (const call of KINDS) {
      expect(callOf(edge, call).headers.get(HEADER_EDGE)).toBe(header);
      expect(callOf(edge, call).json).toMatchObject({ edge: nodeId });
    }
  });
});

describe("an edge whose calls fail", () => {
  it("serves its sessions as before, and counts on where it stopped", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 5 });
    edge.host.dispatchResult = 10;
    edge.passMs(10_000);
    expect(edge.admitted(session, 9)).toBe(5);
    edge.host.dispatchResult = 0;
    edge.passMs(REPORT_INTERVAL_MS + 1000);
    expect((edge.report.json as { usage: unknown[][] }).usage[0]?.slice(0, 3)).toEqual([session.id, 6, 6]);
    edge.report.answer(200, reportAnswer([], LOG));
    expect(counted(edge, "report")["ok"]).toBe(1);
  });
});
