// The policy comes on the watch: how it gets from the leader's answer into force on every worker.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { LOG, plan, policy } from "../harness/scenes/documents.js";
import { edgeWithoutPolicy, policyInWatch, offer, policyHash } from "../harness/scenes/policy-offer.js";

const five = policy({ plans: [plan({ maxTokens: 5 })] });

describe("a policy that comes on the watch", () => {
  it("a policy is in force on the leader at once, on other workers a tick later", () => {
    const edge = edgeWithoutPolicy({ workers: 3 });
    edge.flush();
    offer(edge.watch, five, { generation: 7 });
    const waiting = [0, 1, 2].map((worker) => edge.send("invented", worker));
    expect(waiting.map((stream) => stream.status)).toEqual([401, undefined, undefined]);
    edge.passMs(TICK_MS);
    expect(waiting.map((stream) => stream.status)).toEqual([401, 401, 401]);
  });

  it("a policy is named by the next watch and by each worker's next report", () => {
    const edge = edgeWithoutPolicy({ workers: 2 });
    edge.flush();
    for (const report of edge.pendingReports) report.answer(200, JSON.stringify({ log: LOG, refresh: [] }));
    offer(edge.watch, five, { generation: 7 });
    const hash = policyHash(JSON.stringify(five));
    expect(policyInWatch(edge.watch)).toEqual({ log: LOG, generation: 7, hash, state: "ok" });
    edge.passMs(1000);
    const said = edge.pendingReports.map((report) => (report.json as { policy: object }).policy);
    expect(said).toEqual([
      { source: "control-plane", generation: 7, hash },
      { source: "control-plane", generation: 7, hash },
    ]);
  });

  it("a rejected policy leaves the one before in force, and the next watch says why", () => {
    const edge = edgeWithoutPolicy({ workers: 2 });
    edge.flush();
    offer(edge.watch, five, { generation: 7 });
    edge.passMs(TICK_MS);
    offer(edge.watch, policy({ plans: [plan({ maxTokens: 0 })] }), { generation: 8 });
    expect(policyInWatch(edge.watch)).toMatchObject({
      generation: 8,
      state: "rejected",
      violations: [{ path: "plans[0].maxTokens", message: expect.stringContaining("expected") as string }],
    });
    edge.passMs(1000);
    expect([edge.send("invented", 0).status, edge.send("invented", 1).status]).toEqual([401, 401]);
    expect(edge.host.messages("error").join()).toMatch(/policy generation 8 rejected: plans\[0\]\.maxTokens/);
  });
});

describe("an edge that has no policy yet", () => {
  it("an edge without a policy holds requests for 2 s, then answers 503 with a time", () => {
    const edge = edgeWithoutPolicy();
    const waiting = edge.send(edge.newSession());
    edge.passMs(1900);
    expect(waiting.status).toBeUndefined();
    edge.passMs(200);
    expect(waiting.status).toBe(503);
    expect(waiting.responseHeaders?.get("retry-after")).toBe("1");
    expect(edge.send(edge.newSession()).status).toBe(503);
    edge.flush();
    expect(edge.host.metrics.sum('sluice_requests_total{outcome="no_policy"}')).toBe(2);
  });
});
