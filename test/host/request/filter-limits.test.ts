// Several limits a session: a request spends from all of them or from none.
import { describe, expect, it } from "vitest";
import { liveAnswer, plan, policy } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { get, leftOf, limit, limited } from "../harness/scenes/limits.js";
import type { Session } from "../harness/scenes/tokens.js";

const ROUTES = [
  { match: { prefix: "/search" }, cost: 2, limits: { search: 1 } },
  { match: { prefix: "/report" }, cost: 3, limits: { search: null } },
  { match: { prefix: "/free" }, cost: 0 },
  { match: { prefix: "/cheap" }, limits: { daily: 0 } },
];

/** 10 tokens, 6 daily, 3 for searches. */
function start(overrides: object = {}): { edge: Edge; session: Session } {
  const limits = [limit("search", 3, { applies: "routes" }), limit("daily", 6)];
  const edge = new Edge({ policy: limited(limits, { routes: ROUTES, ...overrides }) });
  const session = edge.newSession();
  edge.send(session);
  edge.answerLive();
  return { edge, session };
}

describe("a plan with several limits", () => {
  it("a request takes its cost from each limit that applies, in one write", () => {
    const { edge, session } = start();
    expect(leftOf(edge, session, 2)).toEqual([9, 5, 3]);
    expect(get(edge, session, "/search").status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([7, 3, 2]);
    expect(get(edge, session, "/").status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([6, 2, 2]);
  });

  it("a request that one limit denies takes nothing from any", () => {
    const { edge, session } = start();
    const before = edge.table.record(session.id);
    expect(get(edge, session, "/report").status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([6, 2, 0]);
    const after = edge.table.record(session.id);
    expect(get(edge, session, "/search").status).toBe(429);
    expect(edge.table.record(session.id)).toEqual(after);
    expect(after?.rev).toBe((before?.rev ?? 0) + 1);
  });

  it("a denial by one route's limit says nothing about requests of another", () => {
    const { edge, session } = start();
    get(edge, session, "/report");
    expect(get(edge, session, "/search").status).toBe(429);
    expect(get(edge, session, "/other").status).toBe(200);
    expect(get(edge, session, "/search").status).toBe(429);
    expect(get(edge, session, "/cheap").status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([4, 1, 0]);
  });

  it("a repeated denial is answered without the table, by the same limit", () => {
    const { edge, session } = start();
    get(edge, session, "/report");
    let reads = 0;
    edge.host.hooks.each(
      "before",
      ({ name }) => name === "proxy_get_shared_data",
      () => (reads += 1),
    );
    const first = get(edge, session, "/search");
    expect(reads).toBe(1);
    const again = get(edge, session, "/search");
    expect(reads).toBe(1);
    expect(again.local?.body).toBe(first.local?.body);
    expect(again.local?.headers.get("ratelimit")).toBe('"search";r=0');
  });

  it("a request that costs nothing is let through whatever the limits hold", () => {
    const { edge, session } = start();
    for (let i = 0; i < 5; i++) get(edge, session, "/");
    expect(get(edge, session, "/").status).toBe(429);
    expect(get(edge, session, "/free").status).toBe(200);
    expect(get(edge, session, "/cheap").status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([3, 0, 3]);
  });

  it("a session of a plan without further limits has no annex and spends as ever", () => {
    const plans = [plan(), plan({ id: 1, name: "gold", limits: [limit("daily", 5)] })];
    const edge = new Edge({ policy: policy({ plans }) });
    const plain = edge.sessionInTable();
    const gold = edge.sessionInTable({ plan: 1 });
    expect(edge.table.record(plain.id)?.annex).toBeUndefined();
    expect(leftOf(edge, gold, 1)).toEqual([9, 4]);
    expect(edge.admitted(plain, 12)).toBe(9);
    expect(edge.admitted(gold, 12)).toBe(4);
  });

  it("all limits refill over the same time, each at its own rate and exactly", () => {
    const limits = [limit("daily", 100, { refill: "10000/1d" }), limit("slow", 50, { refill: "1/7m" })];
    const edge = new Edge({ policy: policy({ plans: [plan({ tokenRefillRate: 1, maxAge: 600_000, limits })] }) });
    const session = edge.newSession();
    edge.send(session);
    edge.answerLive({ tokens: 5, levels: { daily: 0, slow: 1 } });
    // 8.64 s a token of `daily`, 420 s one of `slow`.
    expect(edge.acquires).toHaveLength(1);
    expect(edge.table.record(session.id)?.rev).toBe(0);
    edge.clock.advanceMicros(8_639_999);
    expect(edge.send(session).status).toBe(429);
    edge.clock.advanceMicros(1);
    expect(edge.send(session).status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([9, 0, 0]);
    edge.clock.advanceMicros(411_359_999);
    expect(edge.send(session).status).toBe(429);
    edge.clock.advanceMicros(1);
    expect(edge.send(session).status).toBe(200);
    const annex = edge.table.record(session.id)?.annex;
    expect(annex?.levelsPico.slice(0, 2)).toEqual([46_611_111_111_111n, 0n]);
  });

  it("a client at the rate of a limit by unit is never denied", () => {
    const limits = [limit("daily", 1, { refill: "1000/7h" })];
    const edge = new Edge({ policy: policy({ plans: [plan({ maxTokens: 1000, tokenRefillRate: 1, limits })] }) });
    const session = edge.newSession();
    edge.send(session);
    edge.answerLive({ tokens: 1000, levels: {} });
    for (let n = 0; n < 140; n++) {
      edge.clock.advanceMicros(25_199_999);
      if (n === 70) expect(edge.send(session).status).toBe(429);
      edge.clock.advanceMicros(1);
      expect(edge.send(session).status).toBe(200);
    }
  });
});

describe("a budget of a plan with several limits", () => {
  it("a spent budget denies by the plan's own bucket, and counts only that", () => {
    const { edge, session } = start();
    get(edge, session, "/search");
    expect(edge.table.record(session.id)?.consumed).toBe(3);
    edge.clock.advanceMs(61_000);
    const waiting = edge.send(session);
    edge.callout.answer(200, liveAnswer({ budgetSpent: true, consumed: 3, rev: 2 }));
    expect(waiting.status).toBe(429);
    expect(waiting.local?.body).toBe(
      '{"error":{"code":"RATE_LIMIT_EXCEEDED","message":"Token budget of the session is spent"}}',
    );
    expect(waiting.local?.details).toBe("sluice_limited");
  });
});
