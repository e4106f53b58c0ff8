// Sessions whose plan has other limits now: what is asked, what is kept, and what holds while nobody can be asked.
import { describe, expect, it } from "vitest";
import { MAX_EDGE_BODY_BYTES } from "../../../assembly/contract.js";
import { liveAnswer, plan, policy, reportAnswer, settings, type PolicyDocument } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { leftOf, limit, limited } from "../harness/scenes/limits.js";
import { nextReport } from "../harness/scenes/reports.js";
import { said, bodyBytes, TWO, TWO_TAG, startedWith } from "../harness/scenes/limits-on-the-wire.js";

/** The edge's settings have another policy from now on. */
function change(edge: Edge, document: PolicyDocument): void {
  for (const worker of edge.workers) expect(worker.configure(settings(document))).toBe(true);
}

describe("a session whose plan's limits have changed", () => {
  it("the next request asks, with what the record says, and goes on from the answer's levels", () => {
    const { edge, session } = startedWith(TWO);
    edge.admitted(session, 2);
    change(edge, limited([limit("daily", 6), limit("hourly", 5), limit("search", 8)]));
    const stream = edge.send(session);
    const row = [session.id, 3, 3, 7_000_000, 0, TWO_TAG, [3_000_000, 5_000_000]];
    expect(said(edge.callout)).toMatchObject({ session: session.id, usage: [row] });
    expect(said(edge.callout).limits).toEqual({ [TWO_TAG]: ["daily", "search"] });
    edge.answerLive({ consumed: 3, rev: 3, levels: { daily: 3, search: 4, hourly: 2 } });
    expect(stream.status).toBe(200);
    // `search`: the lower of what is here and what the answer says.
    expect(leftOf(edge, session, 3)).toEqual([6, 2, 1, 3]);
    expect(edge.acquires).toHaveLength(2);
  });

  it("limits that are in another order, or have another rate, are the same: nothing is asked", () => {
    const { edge, session } = startedWith(TWO);
    change(edge, limited([limit("daily", 3, { tokenRefillRate: 0 }), limit("search", 20, { refill: "1/1d" })]));
    expect(edge.send(session).status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([8, 2, 6]);
    expect(edge.acquires).toHaveLength(1);
  });

  it("a limit that is taken away and comes back is neither empty nor full", () => {
    const { edge, session } = startedWith(TWO);
    edge.admitted(session, 2);
    change(edge, policy());
    edge.send(session);
    expect(said(edge.callout).usage?.[0]?.slice(5)).toEqual([TWO_TAG, [3_000_000, 5_000_000]]);
    edge.answerLive({ consumed: 3, rev: 3, levels: { daily: 3, search: 5 } });
    expect(edge.table.annexes()).toBe(0);
    expect(edge.send(session).status).toBe(200);
    expect(edge.acquires).toHaveLength(2);
    change(edge, TWO);
    edge.send(session);
    expect(said(edge.callout).usage).toEqual([[session.id, 5, 5, 5_000_000, 0]]);
    edge.answerLive({ consumed: 5, rev: 5, levels: { daily: 3, search: 5 } });
    expect(leftOf(edge, session, 2)).toEqual([4, 2, 4]);
  });

  it("a reloaded worker knows the levels under a policy that it never had", () => {
    const edge = new Edge({ policy: TWO, workers: 2 });
    const session = edge.newSession();
    edge.send(session);
    edge.answerLive({ levels: {} });
    const next = limited([limit("daily", 6), limit("hourly", 5)]);
    expect(edge.worker(0).configure(settings(next))).toBe(true);
    edge.send(session);
    edge.answerLive({ consumed: 1, rev: 1, levels: { daily: 5 } });
    const tag = edge.table.record(session.id)?.annex?.tag ?? "";
    const fresh = edge.reload(1);
    const stream = edge.send(session, 1);
    const row = [session.id, 2, 2, 8_000_000, 0, tag, [4_000_000, 4_000_000]];
    expect(said(edge.callout).usage).toEqual([row]);
    expect(said(edge.callout).limits).toEqual({ [tag]: ["daily", "hourly"] });
    edge.answerLive({ consumed: 2, rev: 2, levels: { search: 7 } });
    expect(stream.vm).toBe(fresh);
    expect(leftOf(edge, session, 2)).toEqual([7, 3, 6]);
  });

  it("a reloaded worker knows the levels under a policy that came after more tags than are kept", () => {
    const edge = new Edge({ policy: TWO, workers: 2 });
    const session = edge.newSession();
    edge.send(session);
    edge.answerLive({ levels: {} });
    for (const name of ["daily", "hourly"]) {
      const plans = Array.from({ length: 600 }, (_, id) => plan({ id, name: `p-${id}`, limits: [limit(name, 6)] }));
      expect(edge.worker(0).configure(settings(policy({ plans })))).toBe(true);
    }
    expect(edge.worker(0).configure(settings(limited([limit("daily", 6), limit("hourly", 5)])))).toBe(true);
    edge.send(session);
    edge.answerLive({ consumed: 1, rev: 1, levels: { daily: 5 } });
    expect(leftOf(edge, session, 2)).toEqual([8, 4, 4]);
    edge.reload(1);
    edge.send(session, 1);
    expect(Object.values(said(edge.callout).limits ?? {})).toEqual([["daily", "hourly"]]);
  });

  it("a worker knows the levels of any plan of a policy of 600 that it never had", () => {
    const others = Array.from({ length: 599 }, (_, i) =>
      plan({ id: i + 1, name: `p-${i}`, limits: [limit("daily", 6)] }),
    );
    const first = plan({ limits: [limit("daily", 6), limit("search", 8)] });
    const edge = new Edge({ policy: policy({ plans: [first, ...others] }) });
    const session = edge.newSession();
    edge.send(session);
    edge.answerLive({ levels: {} });
    const fresh = edge.addWorker(settings(limited([limit("hourly", 5)])));
    edge.send(session, edge.workers.indexOf(fresh));
    expect(Object.values(said(edge.callout).limits ?? {})).toEqual([["daily", "search"]]);
  });

  it("an answer to an ask without a row never replaces levels that were not reported", () => {
    const edge = new Edge({ policy: TWO });
    edge.addWorker(settings(policy()));
    const session = edge.newSession();
    const [stream, other] = [edge.send(session, 0), edge.send(session, 1)];
    const [first, second] = edge.pendingAcquires;
    first?.answer(200, liveAnswer({ levels: {} }));
    expect(stream.status).toBe(200);
    second?.answer(200, liveAnswer({ levels: {} }));
    expect(other.status, "the record says what the ask did not").toBeUndefined();
    expect(leftOf(edge, session, 2)).toEqual([9, 5, 7]);
    expect(said(edge.callout).usage).toEqual([[session.id, 1, 1, 9_000_000, 0, TWO_TAG, [5_000_000, 7_000_000]]]);
    edge.answerLive({ tokens: 9, consumed: 1, rev: 1, levels: { daily: 5, search: 7 } });
    expect(other.status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([8]);
  });

  it("levels of a session that is moved to another plan are told before they are replaced", () => {
    const plans = [plan({ limits: [limit("daily", 6)] }), plan({ id: 1, name: "gold", limits: [limit("export", 3)] })];
    const { edge, session } = startedWith(policy({ plans }));
    edge.clock.advanceMs(61_000);
    const stream = edge.send(session);
    expect(said(edge.callout).usage?.[0]?.slice(0, 4)).toEqual([session.id, 1, 1, 9_000_000]);
    expect(Object.values(said(edge.callout).limits ?? {})).toEqual([["daily"]]);
    edge.answerLive({ plan: 1, consumed: 1, rev: 1, levels: { daily: 5 } });
    expect(stream.status).toBe(200);
    expect(leftOf(edge, session, 1)).toEqual([8, 2]);
  });

  it("many sessions whose limits have changed share one call, with a row each", () => {
    const edge = new Edge({ policy: TWO });
    const sessions = Array.from({ length: 72 }, () => {
      const session = edge.newSession();
      edge.send(session);
      edge.answerLive({ levels: {} });
      return session;
    });
    change(edge, limited([limit("daily", 6)]));
    for (const session of sessions) edge.send(session);
    expect(edge.pendingAcquires).toHaveLength(8);
    edge.pendingAcquires[0]?.answer(200, liveAnswer({ consumed: 1, rev: 1, levels: { daily: 5 } }));
    const batch = edge.pendingAcquires.map(said).find((call) => (call.usage?.length ?? 0) > 1);
    expect(batch?.usage).toHaveLength(64);
    expect(batch?.limits).toEqual({ [TWO_TAG]: ["daily", "search"] });
    for (const call of edge.pendingAcquires) expect(bodyBytes(call)).toBeLessThanOrEqual(MAX_EDGE_BODY_BYTES);
  });

  it("what an edge knows of limits follows a session to another plan that has them", () => {
    const plans = [
      plan({ limits: [limit("daily", 6), limit("search", 8)] }),
      plan({ id: 1, name: "gold", maxTokens: 90, limits: [limit("daily", 60), limit("gold-only", 5)] }),
    ];
    const { edge, session } = startedWith(policy({ plans }));
    edge.clock.advanceMs(61_000);
    edge.send(session);
    edge.answerLive({ plan: 1, consumed: 1, rev: 1, levels: {} });
    expect(leftOf(edge, session, 2)).toEqual([8, 4, 4]);
  });
});

describe("a session whose limits have changed while the control plane is away", () => {
  it("a session goes on under trust, with full limits where none are known, and is asked about", () => {
    const { edge, session } = startedWith(TWO);
    const tag = edge.table.record(session.id)?.annex?.tag;
    change(edge, limited([limit("daily", 6), limit("hourly", 5)]));
    const stream = edge.send(session);
    edge.callout.timeOut();
    expect(stream.status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([8, 4, 4]);
    const record = edge.table.record(session.id);
    expect(record).toMatchObject({ refresh: true, limitsUnconfirmed: true });
    expect(record?.annex?.tag).not.toBe(tag);
    // They are no figures of what was spent: the control plane keeps those that it has.
    const report = nextReport(edge);
    expect(said(report).usage?.[0]).toHaveLength(5);
    report.answer(200, reportAnswer());
    const next = edge.send(session);
    edge.answerLive({ consumed: 2, rev: 2, levels: { daily: 6, hourly: 1 } });
    expect(next.status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([7, 3, 0]);
    expect(edge.table.record(session.id)).toMatchObject({ refresh: false, limitsUnconfirmed: false });
  });

  it("a session is denied under deny, be that the plan's own word or the document's", () => {
    for (const [document, own, status] of [
      ["deny", null, 503],
      ["trust", "deny", 503],
      ["deny", "trust", 200],
    ] as const) {
      const { edge, session } = startedWith(TWO);
      const plans = [plan({ limits: [limit("daily", 6), limit("hourly", 5)], ...(own && { onUnreachable: own }) })];
      change(edge, policy({ plans, onUnreachable: document }));
      const stream = edge.send(session);
      edge.callout.timeOut();
      expect(stream.status, `${document}, ${own ?? "none"}`).toBe(status);
    }
  });

  it("a session that is not known follows its plan's onUnreachable", () => {
    for (const [document, own, status] of [
      ["trust", "deny", 503],
      ["deny", "trust", 200],
    ] as const) {
      const edge = new Edge({ policy: policy({ plans: [plan({ onUnreachable: own })], onUnreachable: document }) });
      const stream = edge.send(edge.newSession());
      edge.callout.timeOut();
      expect(stream.status, `${document}, ${own}`).toBe(status);
    }
  });

  it("a session whose plan has no limits any more goes on, and loses nothing of them", () => {
    const { edge, session } = startedWith(TWO);
    change(edge, policy());
    const stream = edge.send(session);
    edge.callout.timeOut();
    expect(stream.status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([8, 5, 7]);
  });
});
