// report: what edges say was spent, and what that changes for the session and for who acquires it.
import { describe, expect, it, vi } from "vitest";

import { created, expectError, INSTANCE, KEYS, shown, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { sessionAt, STARTER, STARTER_RATE } from "../../support/sessions.js";

const TOKEN = 1_000_000;
const NEXT_LIFE = { instance: "ffffffffffffffff" };

async function spent(plane: TestControlPlane, id: string): Promise<number> {
  return (await shown(plane, id)).tokens.consumed;
}

describe("an edge that reports", () => {
  it("a report is answered with the log, and the session shows consumption and activity", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.clock.advance(10_000);
    const answer = await plane.report([[session.id, 4, 12, 88 * TOKEN, 3000]]);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toEqual({ log: (await plane.store.position()).log, refresh: [] });
    const after = await shown(plane, session.id);
    expect(after.tokens.consumed).toBe(12);
    expect(after.lastActivity).toBe(session.createdAt + 7000);
  });

  it("a report that is repeated, late, or about unknown sessions changes nothing", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const stranger = sessionAt(plane.clock.nowMs()).id;
    for (const row of [
      [session.id, 4, 12, TOKEN, 0],
      [session.id, 4, 12, TOKEN, 0],
      [session.id, 2, 7, 2 * TOKEN, 0],
      [stranger, 1, 1, TOKEN, 0],
    ]) {
      expect((await plane.report([row])).status).toBe(200);
    }
    expect(await spent(plane, session.id)).toBe(12);
    expect((await plane.acquire(session.id)).body).toMatchObject({ rev: 4, consumed: 12, level: TOKEN });
  });

  it("a session's consumption is the sum over edges and instances", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.report([[session.id, 1, 1, 0, 0]]);
    await plane.report([[session.id, 1, 10, 0, 0]], NEXT_LIFE);
    await plane.report([[session.id, 1, 100, 0, 0]], { edge: "gw-2" });
    expect(await spent(plane, session.id)).toBe(111);
    const usage = await plane.call("GET", `/v1/sessions/${session.id}/usage`);
    expect(usage.body).toMatchObject({
      consumed: 111,
      direct: 0,
      edges: [
        { edge: "gw-1", consumed: 11, instances: [{ instance: INSTANCE, consumed: 1 }, NEXT_LIFE] },
        { edge: "gw-2", consumed: 100 },
      ],
    });
  });

  it("a report may have as many rows as a body takes, none, and unknown fields", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const rows = Array.from({ length: 512 }, (_, i) => [session.id, i + 1, i, -5, 0]);
    expect((await plane.report(rows)).status).toBe(200);
    expect(await spent(plane, session.id)).toBe(511);
    expect((await plane.report([])).status).toBe(200);
    const newer = [session.id, 600, 600, 0, 0, "0a1b2c3d", [1], { lease: 1 }];
    expect((await plane.report([newer], { asks: [], limits: { "0a1b2c3d": ["daily"] } })).status).toBe(200);
    expect(await spent(plane, session.id)).toBe(600);
    expectError(await plane.report([...rows, rows[0]]), "INVALID_REQUEST", "usage");
  });

  it("a report needs the edge credential and a body that is not too large", async () => {
    const plane = await startTestControlPlane();
    const body = { edge: "gw-1", instance: INSTANCE, usage: [], more: false };
    expectError(await plane.call("POST", "/edge/v1/report", body), "UNAUTHORIZED");
    expectError(await plane.report([], { padding: "x".repeat(65_536) }), "BODY_TOO_LARGE");
    const without = { ...body, more: undefined };
    expectError(await plane.call("POST", "/edge/v1/report", without, KEYS.edgeCredential), "INVALID_REQUEST", "more");
  });

  it("a report for which too much waits to be written is 503, and counts as rejected", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    // A bound of 65,536 rows, tried with all of them where rows are committed.
    vi.spyOn(plane.ports.commits, "commit").mockResolvedValue(undefined);
    const rows = [[session.id, 1, 5, TOKEN, 0]];
    expect(expectError(await plane.report(rows), "NOT_READY")).toContain("report again in a while");
    expect((await plane.status("/metrics")).text).toContain('sluice_control_reports_total{outcome="rejected"} 1');
    expect(await spent(plane, session.id)).toBe(0);
    vi.restoreAllMocks();
    expect((await plane.report(rows)).status).toBe(200);
    expect(await spent(plane, session.id)).toBe(5);
  });

  it("a report's answer names its sessions that ended, and those that are unknown", async () => {
    const plane = await startTestControlPlane();
    const [over, live] = [(await created(plane)).session, (await created(plane)).session];
    await plane.call("DELETE", `/v1/sessions/${over.id}`);
    const stranger = sessionAt(0).id;
    const rows = [over.id, live.id, stranger].map((one) => [one, 1, 3, 0, 0]);
    expect((await plane.report(rows)).body).toMatchObject({ refresh: [over.id, stranger] });
    expect(await spent(plane, over.id)).toBe(3);
  });

  it("the metrics count reports, rows, and tokens by plan", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.report([[session.id, 1, 5, 0, 0]]);
    await plane.report([[session.id, 1, 5, 0, 0]]);
    await plane.report([[session.id, 2, 8, 0, 0]]);
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_reports_total{outcome="accepted"} 3');
    expect(text).toContain('sluice_control_report_rows_total{outcome="accepted"} 3');
    expect(text).toContain('sluice_control_tokens_consumed_total{plan="starter"} 8');
  });
});

describe("an edge that acquires what it has reported before", () => {
  it("an instance that acquires again gets its own figures and its bucket, refilled since", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.clock.advance(1000);
    await plane.report([[session.id, 9, 40, 10 * TOKEN, 1000]]);
    plane.clock.advance(2001);
    const level = (10 + STARTER_RATE * 3) * TOKEN;
    expect((await plane.acquire(session.id)).body).toMatchObject({ level, rev: 9, consumed: 40 });
    plane.clock.advance(60_000);
    expect((await plane.acquire(session.id)).body).toMatchObject({ level: STARTER.maxTokens * TOKEN });
  });

  it("a new instance gets the bucket of the edge's last report, with figures from 0", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.report([[session.id, 9, 40, 5 * TOKEN, 0]]);
    plane.clock.advance(1);
    await plane.report([[session.id, 2, 30, 7 * TOKEN, 0]], { instance: "1111111111111111" });
    await plane.report([[session.id, 2, 30, TOKEN, 0]], { edge: "gw-2" });
    plane.clock.advance(1);
    const answer = await plane.acquire(session.id, NEXT_LIFE);
    expect(answer.body).toMatchObject({ level: 7 * TOKEN, rev: 0, consumed: 0 });
    // As long as it has reported nothing itself it has spent nothing that is known of.
    expect((await plane.acquire(session.id, NEXT_LIFE)).body).toMatchObject({ level: 7 * TOKEN, rev: 0 });
  });

  it("an edge's next life owes what its last one reported, and another edge gets a full bucket", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.report([[session.id, 9, 40, -5 * TOKEN, 0]]);
    expect((await plane.acquire(session.id, NEXT_LIFE)).body).toMatchObject({ level: -5 * TOKEN });
    const full = { level: STARTER.maxTokens * TOKEN, rev: 0, consumed: 0 };
    expect((await plane.acquire(session.id, { edge: "gw-2" })).body).toMatchObject(full);
  });

  it("an acquired bucket has the plan's present limits", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.report([[session.id, 9, 40, 80 * TOKEN, 0]]);
    plane.setPlans({ ...STARTER, maxTokens: 50 });
    expect((await plane.acquire(session.id)).body).toMatchObject({ level: 50 * TOKEN });
    plane.setPlans({ ...STARTER, maxTokens: 1000, tokenRefillRate: 0.5 });
    plane.clock.advance(2001);
    expect((await plane.acquire(session.id)).body).toMatchObject({ level: 81 * TOKEN });
  });

  it("a session's buckets show what each edge reported", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const path = `/v1/sessions/${session.id}/bucket`;
    expect((await plane.call("GET", path)).body).toEqual({ buckets: [] });
    await plane.acquire(session.id);
    await plane.report([[session.id, 9, 40, 10 * TOKEN + 500_000, 0]]);
    const lastRefill = plane.clock.nowMs();
    plane.clock.advance(1001);
    const own = { name: STARTER.name, capacity: 100, tokens: 20.5, refillRate: 10, lastRefill };
    const bucket = { edge: "gw-1", instance: INSTANCE, ...own, limits: [] };
    expect((await plane.call("GET", path)).body).toEqual({ buckets: [bucket] });
    expectError(await plane.call("GET", `/v1/sessions/${sessionAt(0).id}/bucket`), "SESSION_NOT_FOUND");
    expectError(await plane.call("GET", `/v1/sessions/${sessionAt(0).id}/usage`), "SESSION_NOT_FOUND");
  });
});
