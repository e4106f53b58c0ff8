// A session whose plan this worker does not know yet: the policy that has it is on its way, so its request is held for a
// moment and not denied.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { LOG, OTHER_LOG, plan, policy, type PolicyDocument } from "../harness/scenes/documents.js";
import type { Edge } from "../harness/scenes/edge.js";
import { edgeFollowing, newestWatch, offer } from "../harness/scenes/policy-offer.js";

const HOLD_MS = 1000;
const old = policy();
/** Has a plan more. */
const gold = policy({ plans: [plan(), plan({ id: 4, name: "gold" })] });

const following = (document: PolicyDocument = old, workers = 1): Edge => edgeFollowing(document, 7, { workers });

describe("a session of a plan that comes with a policy on its way", () => {
  it("a request of a coming plan is held until its policy is in force, and passes then", () => {
    const edge = following();
    const stream = edge.send(edge.newSession(4));
    edge.answerLive({ plan: 4, generation: 8 });
    expect(stream.paused).toBe(true);
    offer(newestWatch(edge), gold, { generation: 8 });
    edge.passMs(TICK_MS);
    expect(stream.status).toBe(200);
    expect(edge.acquires).toHaveLength(1);
  });

  it("a request of a coming plan is held for a second at most, and gets 503 then", () => {
    const edge = following();
    const stream = edge.send(edge.newSession(4));
    edge.answerLive({ plan: 4, generation: 8 });
    edge.passMs(HOLD_MS - TICK_MS);
    expect(stream.paused).toBe(true);
    edge.passMs(TICK_MS);
    expect(stream).toMatchObject({ status: 503, reachedUpstream: false });
    expect(edge.send(edge.newSession(4)).paused).toBe(true);
  });

  it("a request of a coming plan is held on while a policy in between comes into force", () => {
    const edge = following();
    const stream = edge.send(edge.newSession(4));
    edge.answerLive({ plan: 4, generation: 9 });
    offer(newestWatch(edge), policy({ plans: [plan({ maxTokens: 4 })] }), { generation: 8 });
    edge.passMs(TICK_MS);
    expect(stream.paused).toBe(true);
    offer(newestWatch(edge), gold, { generation: 9 });
    edge.passMs(TICK_MS);
    expect(stream.status).toBe(200);
  });

  it("a request of an unknown plan gets 503 at once where no newer policy is coming", () => {
    const edge = following();
    const stream = edge.send(edge.newSession(4));
    edge.answerLive({ plan: 4, generation: 7 });
    expect(stream.status).toBe(503);
  });

  it("a request of an unknown plan gets 503 at once without a generation in the answer", () => {
    const edge = following();
    const stream = edge.send(edge.newSession(4));
    edge.answerLive({ plan: 4 });
    expect(stream.status).toBe(503);
  });

  it("a request of a coming plan is held on a worker that does not know the policy yet", () => {
    const edge = following(old, 2);
    offer(newestWatch(edge), gold, { generation: 8 });
    const session = edge.sessionInTable({ plan: 4, tokens: 5 }, 0);
    const stream = edge.send(session, 1);
    expect(stream.paused).toBe(true);
    edge.passMs(TICK_MS);
    expect(stream.status).toBe(200);
    expect(edge.table.record(session.id)?.levelTokens).toBe(4);
  });

  it("a request of a coming plan is held where the policy so far is the settings'", () => {
    const edge = following(old, 1);
    edge.addWorker(JSON.stringify({ version: 1, table: { capacity: 1024 }, policy: old }));
    offer(newestWatch(edge), gold, { generation: 8 });
    const session = edge.sessionInTable({ plan: 4, tokens: 5 }, 0);
    const stream = edge.send(session, 1);
    expect(stream.paused).toBe(true);
    edge.passMs(TICK_MS);
    expect(stream.status).toBe(200);
  });

  it("a request of a coming plan is held after an earlier policy was rejected", () => {
    const edge = following();
    offer(newestWatch(edge), policy({ plans: [] }), { generation: 8 });
    edge.passMs(10_000);
    for (const report of edge.pendingReports) report.answer(200, JSON.stringify({ log: LOG, refresh: [] }));
    const stream = edge.send(edge.newSession(4));
    edge.answerLive({ plan: 4, generation: 9 });
    expect(stream.paused).toBe(true);
    offer(newestWatch(edge), gold, { generation: 9 });
    edge.passMs(TICK_MS);
    expect(stream.status).toBe(200);
  });

  it("a late answer of the log before a restore holds no request", () => {
    const edge = following();
    edge.sessionInTable();
    edge.watch.answer(503);
    edge.passMs(1000);
    const late = edge.send(edge.newSession());
    offer(newestWatch(edge), policy({ plans: [plan({ maxTokens: 4 })] }), { generation: 3, log: OTHER_LOG });
    edge.callout.answer(200, live(7, 0, LOG));
    while (edge.pendingAcquires.length > 0) edge.callout.answer(200, live(3));
    expect(late.status).toBe(200);
    const stream = edge.send(edge.newSession(4));
    edge.callout.answer(200, live(3, 4));
    expect(stream.status).toBe(503);
  });
});

function live(generation: number, planId = 0, log = OTHER_LOG): string {
  const figures = { state: "live", plan: planId, endsInMs: 3_600_000, level: 4_000_000, consumed: 0, rev: 0 };
  return JSON.stringify({ ...figures, budgetSpent: false, log, cursor: 41, generation });
}
