// The token budget of a session: spent at edges, spent by backends, and what happens once it is gone.
import { describe, expect, it } from "vitest";

import { created, expectError, shown, startTestControlPlane } from "../../support/control-plane.js";
import type { Answer, TestControlPlane } from "../../support/control-plane.js";
import { METERED, sessionAt, STARTER } from "../../support/sessions.js";

const BUDGET = 5000;

function consume(plane: TestControlPlane, id: string, count: unknown, key?: string): Promise<Answer> {
  const more = key === undefined ? {} : { "idempotency-key": key };
  return plane.call("POST", `/v1/sessions/${id}/consume`, { count }, undefined, more);
}

async function metered(): Promise<[TestControlPlane, string]> {
  const plane = await startTestControlPlane();
  const { session } = await created(plane, { plan: "metered" });
  return [plane, session.id];
}

describe("a session that has a token budget", () => {
  it("a budget is spent by what edges report: an invalidation follows, and acquire says so", async () => {
    const [plane, id] = await metered();
    await plane.report([[id, 1, BUDGET - 1, 0, 0]]);
    expect((await plane.acquire(id)).body).toMatchObject({ state: "live", budgetSpent: false });
    const { cursor } = await plane.store.position();
    await plane.report([[id, 1, 1, 0, 0]], { edge: "gw-2" });
    expect((await plane.store.position()).cursor).toBe(cursor + 1);
    expect((await plane.acquire(id)).body).toMatchObject({ state: "live", budgetSpent: true, cursor: cursor + 1 });
  });

  it("a budget is spent by backends, to the last token and not past it", async () => {
    const [plane, id] = await metered();
    const first = await consume(plane, id, 4000);
    expect(first.status).toBe(200);
    expect(first.body).toEqual({ budget: BUDGET, consumed: 4000, remaining: 1000 });
    expect(expectError(await consume(plane, id, 1001), "TOKEN_BUDGET_EXCEEDED")).toContain("1000 tokens");
    expect((await plane.acquire(id)).body).toMatchObject({ budgetSpent: false });
    expect((await consume(plane, id, 1000)).body).toMatchObject({ remaining: 0 });
    expect((await plane.acquire(id)).body).toMatchObject({ budgetSpent: true, cursor: 1 });
    expect((await shown(plane, id)).tokens.consumed).toBe(BUDGET);
    const usage = await plane.call("GET", `/v1/sessions/${id}/usage`);
    expect(usage.body).toMatchObject({ consumed: BUDGET, direct: BUDGET, edges: [{ edge: "gw-1", consumed: 0 }] });
  });

  it("a backend's key spends once, and a repeat gives the first figures", async () => {
    const [plane, id] = await metered();
    const first = await consume(plane, id, 10, "job-1");
    await consume(plane, id, 10);
    const again = await consume(plane, id, 10, "job-1");
    expect([again.body, again.headers.get("idempotent-replayed")]).toEqual([first.body, "true"]);
    expect((await shown(plane, id)).tokens.consumed).toBe(20);
    expectError(await consume(plane, id, 11, "job-1"), "IDEMPOTENCY_KEY_REUSED", "idempotency-key");
    expectError(await consume(plane, id, 11, "a key"), "INVALID_REQUEST", "idempotency-key");
    // What has no key leaves none.
    expect(await plane.store.usage.forgetConsumptions(plane.clock.nowMs() + 1, 10)).toBe(1);
  });

  it("a session does not become active when a backend consumes", async () => {
    const [plane, id] = await metered();
    const before = await shown(plane, id);
    plane.clock.advance(5000);
    await consume(plane, id, 1);
    expect((await shown(plane, id)).lastActivity).toBe(before.lastActivity);
  });

  it("a session has the budget that its plan has at present", async () => {
    const [plane, id] = await metered();
    await consume(plane, id, 4000);
    plane.setPlans(STARTER, { ...METERED, tokenBudget: 4000 });
    expectError(await consume(plane, id, 1), "TOKEN_BUDGET_EXCEEDED");
    expect((await plane.acquire(id)).body).toMatchObject({ budgetSpent: true });
    plane.setPlans(STARTER, { ...METERED, tokenBudget: 4001 });
    expect((await plane.acquire(id)).body).toMatchObject({ budgetSpent: false });
    expect((await consume(plane, id, 1)).body).toMatchObject({ remaining: 0 });
  });

  it("a session that has ended cannot be consumed from", async () => {
    const [plane, id] = await metered();
    await plane.call("DELETE", `/v1/sessions/${id}`);
    expectError(await consume(plane, id, 1), "SESSION_ENDED");
    expectError(await consume(plane, sessionAt(0).id, 1), "SESSION_NOT_FOUND");
  });

  it.each([0, -1, 1.5, "1", null, 2 ** 53, 1e300])("a consumption of %s is 400", async (count) => {
    const [plane, id] = await metered();
    const said = expectError(await consume(plane, id, count), "INVALID_REQUEST", "count");
    expect(said).toBe("count is wrong: expected an integer from 1 to 9007199254740991: how many tokens");
  });
});

describe("a session without a token budget", () => {
  it("a session without a budget cannot be consumed from: 409 says why", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    expect(expectError(await consume(plane, session.id, 1), "NO_TOKEN_BUDGET")).toContain("tokenBudget");
    plane.setPlans();
    expectError(await consume(plane, session.id, 1), "NO_POLICY");
  });
});
