// A host numbers metrics and calls as it likes: Envoy begins with 1, others with 0.
import { describe, expect, it } from "vitest";
import { LOG, watchAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";

describe("a host that numbers from 0", () => {
  it("a host that numbers from 0 has every count under its own name", () => {
    const counts = [0, 1].map((firstId) => {
      const edge = new Edge({ firstId });
      const session = edge.sessionInTable({ tokens: 1 });
      for (const token of [session.token, session.token, "invented", ""]) edge.send(token);
      edge.flush();
      return edge.host.metrics.names().map((name) => [name, edge.host.metrics.sum(name)]);
    });
    expect(counts[0]).toEqual(counts[1]);
    expect(Object.fromEntries(counts[0] ?? [])).toMatchObject({
      'sluice_requests_total{outcome="missing"}': 1,
      'sluice_requests_total{outcome="invalid"}': 1,
      'sluice_requests_total{outcome="allowed",plan="default"}': 2,
      'sluice_requests_total{outcome="limited",plan="default",limit="default"}': 1,
    });
  });

  it("a host that numbers from 0 has the answer of its first call heard, whichever call it is", () => {
    const asking = new Edge({ firstId: 0 });
    const waiting = asking.send(asking.newSession());
    expect(asking.callout.token).toBe(0);
    asking.answerLive();
    expect(waiting.status).toBe(200);

    const watching = new Edge({ firstId: 0 });
    watching.flush();
    expect(watching.watch.token).toBe(0);
    watching.watch.answer(200, watchAnswer({ cursor: 77 }));
    expect(watching.watch.json).toMatchObject({ log: LOG, since: 77 });
  });

  it("a host that makes no metric has its count under no other name", () => {
    const edge = new Edge({ firstId: 0 });
    const { metrics } = edge.host;
    metrics.refused.add("sluice_tokens_spent_total");
    const session = edge.sessionInTable();
    edge.flush();
    const counted = metrics.sum("");
    edge.send(session);
    edge.flush();
    expect(metrics.sum('sluice_requests_total{outcome="missing"}')).toBe(0);
    expect(metrics.sum("") - counted).toBe(1);
  });
});
