// What must come out of many changes of policy as if there had been none: counters, levels, memory.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { filterModule } from "../harness/builds/filter-modules.js";
import { plan, policy, type PolicyDocument } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import { limit } from "../harness/scenes/limits.js";
import { edgeFollowing, newestWatch, offer } from "../harness/scenes/policy-offer.js";
import { headersOf } from "../harness/scenes/routed-requests.js";

const CHANGES = 2000;
const UNTIL_FLAT = 100;

const following = (document: PolicyDocument, workers = 1): Edge => edgeFollowing(document, 1, { workers });

/** The change's number in it: no two policies have the same bytes. */
function numbered(change: number, plans = 1): PolicyDocument {
  const lifetime = 3_600_000 + change;
  const more = Array.from({ length: plans - 1 }, (_, i) => plan({ id: i + 1, name: `plan-${i + 1}`, lifetime }));
  return policy({ plans: [plan({ maxTokens: 10 + (change % 5), lifetime }), ...more] });
}

function settlingRoutes(change: number): PolicyDocument {
  const routes = Array.from({ length: 300 }, (_, i) => ({
    match: { path: `/chat/${i}` },
    cost: 0,
    limits: { llm: 1 },
    settle: { limit: "llm", header: "x-cost", times: 1 + change },
  }));
  return policy({ plans: [plan({ maxTokens: 1000, limits: [limit("llm", 100, { applies: "routes" })] })], routes });
}

describe("the counters, over 100 changes of policy", () => {
  it("100 policy changes lose no count and count nothing twice, on any worker", () => {
    const edge = following(numbered(0), 3);
    const sessions = [0, 1, 2].map(() => edge.sessionInTable({ tokens: 9 }));
    let [allowed, limited, invalid] = [3, 0, 0];
    for (let change = 1; change <= 100; change++) {
      for (const [worker, session] of sessions.entries()) {
        const { status } = edge.send(session, worker);
        if (status === 200) allowed++;
        else if (status === 429) limited++;
        if (edge.send("invented", worker).status === 401) invalid++;
      }
      offer(newestWatch(edge), numbered(change), { generation: change + 1 });
      edge.passMs(TICK_MS);
    }
    edge.flush();
    const { metrics } = edge.host;
    expect(metrics.sum('sluice_requests_total{outcome="allowed",plan="default"}')).toBe(allowed);
    expect(metrics.sum('sluice_tokens_spent_total{plan="default"}')).toBe(allowed);
    expect(metrics.sum('sluice_requests_total{outcome="limited",plan="default",limit="default"}')).toBe(limited);
    expect(metrics.sum('sluice_requests_total{outcome="invalid"}')).toBe(invalid);
    expect(metrics.sum("sluice_policy_generation")).toBe(101);
    expect([allowed, limited, invalid]).toEqual([30, 273, 300]);
  });

  it("a plan is counted under the name that it had when the request came", () => {
    const named = (name: string): PolicyDocument => policy({ plans: [plan({ name })] });
    const edge = following(named("old"));
    const session = edge.sessionInTable({ tokens: 9 });
    edge.admitted(session, 3);
    offer(newestWatch(edge), named("new"), { generation: 2 });
    edge.admitted(session, 2);
    edge.flush();
    expect(edge.host.metrics.sum('sluice_tokens_spent_total{plan="old"}')).toBe(4);
    expect(edge.host.metrics.sum('sluice_tokens_spent_total{plan="new"}')).toBe(2);
  });
});

describe("levels", () => {
  it("levels are kept over changes, clamped to the plan, and never raised", () => {
    const of = (maxTokens: number): PolicyDocument => policy({ plans: [plan({ maxTokens })] });
    const edge = following(of(10));
    const session = edge.sessionInTable({ tokens: 9 });
    for (const [generation, maxTokens] of [20, 4, 30, 8].entries()) {
      offer(newestWatch(edge), of(maxTokens), { generation: generation + 2 });
      edge.passMs(TICK_MS);
      expect(edge.send(session).status).toBe(200);
    }
    // 9, of 20: 8, of 4: 3, of 30: 2, of 8: 1.
    expect(edge.table.record(session.id)?.levelTokens).toBe(1);
  });
});

describe("the guest's memory", () => {
  const change = (edge: Edge, number: number, document: PolicyDocument): void => {
    const session = edge.newSession();
    const [slow, waiting] = [edge.worker(0).open(requestWith("x")), edge.send(session)];
    offer(newestWatch(edge), document, { generation: number + 1 });
    edge.passMs(TICK_MS);
    for (const callout of edge.pendingAcquires) callout.answer(200, '{"state":"unknown"}');
    slow.abandon();
    waiting.abandon();
    edge.host.logs.length = 0;
    edge.host.callouts.splice(0, edge.host.callouts.length, ...edge.host.pendingCallouts);
  };

  it("memory does not grow after the first 100 of 2,000 policy changes", () => {
    const edge = following(numbered(0));
    let before = 0;
    for (let number = 1; number <= CHANGES; number++) {
      change(edge, number, numbered(number));
      if (number === UNTIL_FLAT) before = edge.worker(0).guest.memory.size;
    }
    expect(edge.worker(0).guest.memory.size).toBe(before);
    expect(edge.worker(0).failure).toBeUndefined();
  });

  it("memory does not grow over policies of 1,000 plans, taken and rejected in turn", () => {
    const edge = following(numbered(0, 1000), 2);
    const sizes = edge.workers.map(() => new Set<number>());
    for (let number = 1; number <= 120; number++) {
      const document = numbered(number, 1000);
      change(edge, number, number % 3 === 0 ? { ...document, colour: number } : document);
      for (const [index, worker] of edge.workers.entries()) sizes[index]?.add(worker.guest.memory.size);
    }
    // Where free pieces lie just so, a policy may find no room once more: memory then doubles, and that is the last time. What
    // stayed of each policy would fill that too.
    expect(Math.max(...sizes.map((seen) => seen.size))).toBeLessThanOrEqual(2);
  });

  it("memory does not grow over policies of 300 routes that settle, with streams under way", () => {
    const edge = edgeFollowing(settlingRoutes(0), 1, { module: filterModule("settle") });
    const session = edge.sessionInTable({ tokens: 9 });
    const sizes: number[] = [];
    for (let number = 1; number <= 240; number++) {
      const stream = edge.worker(0).open(headersOf({ path: "/chat/7", session }));
      change(edge, number, settlingRoutes(number));
      stream.respond({ ":status": "200", "x-cost": "0" });
      sizes.push(edge.worker(0).guest.memory.size);
    }
    edge.flush();
    expect(edge.host.metrics.sum('sluice_settlements_total{outcome="settled"}')).toBe(240);
    expect(sizes.at(-1)).toBe(sizes[40]);
  });

  it("memory does not grow in hours without a control plane, under requests", () => {
    const edge = new Edge({ policy: policy({ onUnreachable: "trust", plans: [plan({ tokenRefillRate: 100 })] }) });
    edge.host.dispatchResult = 2;
    const session = edge.newSession();
    const memoryAfter = (ticks: number): number => {
      for (let tick = 0; tick < ticks; tick++) {
        edge.send(session);
        edge.passMs(TICK_MS);
        edge.host.logs.length = 0;
      }
      return edge.worker(0).guest.memory.size;
    };
    const before = memoryAfter(2000);
    expect(memoryAfter(40_000)).toBe(before);
  });
});
