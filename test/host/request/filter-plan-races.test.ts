// A session that gets another plan between a worker's read of its set and its write: forced inside a host call.
import { describe, expect, it } from "vitest";
import { liveAnswer, plan, policy, reportAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { writesSet } from "../harness/scenes/host-call-matches.js";
import { limit } from "../harness/scenes/limits.js";
import type { Stream } from "../harness/host/stream.js";

const TWO_PLANS = policy({
  plans: [plan({ limits: [limit("daily", 4)] }), plan({ id: 1, name: "plain" })],
  annotate: ["limit"],
});

/** A worker is about to spend under the first plan when another one writes the answer that moves the session. */
function movedMeanwhile(budgetSpent: boolean): { edge: Edge; stream: Stream } {
  const edge = new Edge({ policy: TWO_PLANS, workers: 2 });
  const session = edge.sessionInTable({ levels: {} });
  edge.clock.advanceMs(5000);
  edge.worker(0).tick();
  edge.report.answer(200, reportAnswer([session.id]));
  const stream = edge.send(session, 0);
  edge.send(session, 1);
  const [first, second] = edge.pendingAcquires;
  edge.host.hooks.once("before", writesSet(edge, edge.worker(0)), () => {
    second?.answer(200, liveAnswer({ plan: 1, consumed: 1, rev: 1, budgetSpent }));
    edge.admitted(session, 10, 1);
  });
  first?.answer(503, "");
  expect(edge.host.hooks.waiting).toBe(0);
  return { edge, stream };
}

describe("a session that is moved to a plan without further limits while a worker spends", () => {
  it.each([
    ["whose tokens are spent", false],
    ["whose budget is spent", true],
  ])("a request is denied by the plan that its session has now, %s", (_, budgetSpent) => {
    const { edge, stream } = movedMeanwhile(budgetSpent);
    expect(edge.worker(0).failure).toBeUndefined();
    expect(stream.status).toBe(429);
    expect(stream.properties.get("sluice.limit")).toBe(budgetSpent ? undefined : "plain");
    edge.worker(0).tick();
    expect(edge.host.metrics.sum("sluice_requests_total", 'outcome="limited",plan="plain",limit="plain"')).toBe(1);
  });
});
