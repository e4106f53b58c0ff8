// Leases that an acquire brings, and what an edge begins with where a plan changes its scope.
import { describe, expect, it } from "vitest";

import { LEASE_GRACE_MS, LEASE_REPEAT_MS, LEASE_TTL_MS } from "../../../../assembly/contract.js";
import { acquireSessions } from "../../../src/app/edges/acquire-session.js";
import { MemoryStore } from "../../../src/store/memory/store.js";
import { created, INSTANCE, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { raisedTo } from "../../support/fleet-budgets.js";
import { quietLeases } from "../../support/leases.js";
import { daily, FLEET, REPORTING, sessionAt, STARTER } from "../../support/sessions.js";
import { withVerbs } from "../../support/store-verbs.js";

const TOKEN = 1_000_000;
const tokens = (count: number) => ({ "": count * TOKEN });
const wish = (want: number, at = 81_250) => ({ lease: { at, cost: tokens(1), want: tokens(want) } });
const NEXT_LIFE = { instance: "ffffffffffffffff" };
const THERE = { edge: "gw-2" };

async function started(...plans: Parameters<TestControlPlane["setPlans"]>) {
  const plane = await startTestControlPlane();
  plane.setPlans(...plans);
  const { session } = await created(plane);
  return { plane, id: session.id };
}

describe("an acquire under a plan of fleet scope", () => {
  it("an acquire that says what it wants is answered with a lease, and its level is 0", async () => {
    const { plane, id } = await started(FLEET);
    const { body } = await plane.acquire(id, wish(8));
    expect(body).toMatchObject({ state: "live", level: 0, lease: { granted: tokens(8), ttl: LEASE_TTL_MS } });
    const { ask } = (body as { lease: { ask: number } }).lease;
    // The edge goes on from that number.
    const next = { session: id, ask: ask + 1, applied: ask, left: tokens(2), cost: tokens(1), want: tokens(8) };
    expect((await plane.lease([next])).body).toMatchObject({ leases: [{ ask: ask + 1, granted: tokens(6) }] });
  });

  it("an acquire that is repeated is answered with the same lease", async () => {
    const { plane, id } = await started(FLEET);
    const first = (await plane.acquire(id, wish(8))).body as { lease: unknown };
    const again = (await plane.acquire(id, wish(8, 81_251))).body as { lease: unknown };
    expect(again.lease).toEqual(first.lease);
    expect((await plane.status("/metrics")).text).toContain('lease_tokens_total{what="granted"} 8\n');
  });

  it("an acquire of much later by the edge's clock is not given the same lease again", async () => {
    const { plane, id } = await started(FLEET);
    await plane.acquire(id, wish(8));
    const { body } = await plane.acquire(id, wish(8, 81_250 + LEASE_REPEAT_MS));
    expect(body).toMatchObject({ state: "live", lease: { granted: {} } });
  });

  it("each further session of a call is answered with the lease that is asked for it", async () => {
    const { plane, id } = await started(FLEET);
    const ids = [(await created(plane)).session.id, (await created(plane)).session.id];
    const others = [{ session: ids[0], ...wish(3) }, { session: ids[1] }];
    const { body } = await plane.acquire(id, { ...wish(2), others });
    expect(body).toMatchObject({ lease: { granted: tokens(2) }, others: [{ lease: { granted: tokens(3) } }, {}] });
    expect((body as { others: object[] }).others[1]).not.toHaveProperty("lease");
    expect((body as { others: object[] }).others[1]).toMatchObject({ level: 0 });
  });

  it.each([
    ["is no object", 7],
    ["says amounts that cannot be", { cost: { "": -1 }, want: tokens(1) }],
    ["says a time that cannot be", { at: -1, cost: tokens(1), want: tokens(1) }],
  ])("an acquire whose lease %s is answered without one", async (_, lease) => {
    const { plane, id } = await started(FLEET);
    const { status, body } = await plane.acquire(id, { lease });
    expect([status, body]).toMatchObject([200, { state: "live", level: 0 }]);
    expect(body).not.toHaveProperty("lease");
  });

  it("an acquire of a plan of edge scope is answered its level, whatever lease it wants", async () => {
    const { plane, id } = await started(STARTER);
    const { body } = await plane.acquire(id, wish(8));
    expect(body).toMatchObject({ level: 100 * TOKEN });
    expect(body).not.toHaveProperty("lease");
    expect((await plane.status("/metrics")).text).toContain('lease_asks_total{outcome="over"} 0\n');
  });

  it("an acquire is answered without a lease where the session has another plan by then", async () => {
    const { plane, id } = await started(FLEET, { ...FLEET, id: 1, name: "other" });
    const position = plane.store.position.bind(plane.store);
    let isChanged = false;
    plane.store.position = async () => {
      if (!isChanged) {
        isChanged = true;
        expect((await plane.call("PATCH", `/v1/sessions/${id}`, { plan: "other" })).status).toBe(200);
      }
      return position();
    };
    const { body } = await plane.acquire(id, wish(8));
    expect(body).toMatchObject({ state: "live", plan: 1, level: 0 });
    expect(body).not.toHaveProperty("lease");
  });

  it("what an acquire says was spent at an edge of its own counts before it is leased", async () => {
    const { plane, id } = await started(FLEET);
    const usage = [[id, 1, 70, 30 * TOKEN, 0]];
    const whole = { lease: { cost: tokens(31), want: tokens(31) } };
    expect((await plane.acquire(id, { usage, ...whole })).body).toMatchObject({ lease: { refused: { limit: "" } } });
  });
});

describe("a plan that was of fleet scope", () => {
  const LIMITED_FLEET = { ...FLEET, limits: [daily] };
  const LIMITED_EDGE = { ...STARTER, limits: [daily] };

  it("each edge begins with what the budget has left, refilled since, without what is leased", async () => {
    const { plane, id } = await started(LIMITED_FLEET);
    const cost = { ...tokens(40), daily: 4000 * TOKEN };
    await plane.lease([{ session: id, ask: 1, applied: 0, cost, want: cost }]);
    plane.setPlans(LIMITED_EDGE);
    const left = { level: 60 * TOKEN, levels: { daily: 6000 * TOKEN } };
    expect((await plane.acquire(id)).body).toMatchObject(left);
    expect((await plane.acquire(id, THERE)).body).toMatchObject(left);
    plane.clock.advance(1001);
    expect((await plane.acquire(id, THERE)).body).toMatchObject({ level: 70 * TOKEN });
  });

  it("what an edge reports after that is its own, and what it reported before counts no more", async () => {
    const { plane, id } = await started(LIMITED_EDGE);
    const names = { limits: { "0a1b2c3d": ["daily"] } };
    await plane.report([[id, 1, 1, 99 * TOKEN, 0, "0a1b2c3d", [9999 * TOKEN]]], names);
    plane.clock.advance(60_000);
    plane.setPlans(LIMITED_FLEET);
    const cost = { ...tokens(100), daily: 9000 * TOKEN };
    await plane.lease([{ session: id, ask: 1, applied: 0, cost, want: cost }]);
    plane.setPlans(LIMITED_EDGE);
    const { level, levels } = (await plane.acquire(id)).body as { level: number; levels: { daily: number } };
    expect(level).toBe(0);
    expect(levels.daily).toBeLessThan(1001 * TOKEN);
    plane.clock.advance(1000);
    await plane.report([[id, 9, 105, 3 * TOKEN, 0, "0a1b2c3d", [777 * TOKEN]]], names);
    expect((await plane.acquire(id)).body).toMatchObject({ level: 3 * TOKEN, levels: { daily: 777 * TOKEN } });
    expect((await plane.acquire(id, NEXT_LIFE)).body).toMatchObject({ level: 3 * TOKEN });
  });

  it("what is left of a lease is no level, also where it is reported after the plan has changed", async () => {
    const { plane, id } = await started(FLEET);
    await plane.lease([{ session: id, ask: 1, applied: 0, cost: tokens(40), want: tokens(40) }]);
    plane.setPlans(STARTER);
    plane.clock.advance(1000);
    await plane.report([[id, 9, 35, 5 * TOKEN, 0, "0a1b2c3d", []]], { fleet: ["0a1b2c3d"] });
    expect((await plane.acquire(id)).body).toMatchObject({ level: 69.99 * TOKEN });
    expect((await plane.call("GET", `/v1/sessions/${id}/bucket`)).body).toMatchObject({ buckets: [{ tokens: 69.99 }] });
  });
});

describe("leases in another life of the store", () => {
  it("a session of before gets no lease until all that may be lost have ended", async () => {
    const store = withVerbs(new MemoryStore());
    const { ports: all, clock, policies } = await startTestControlPlane(store);
    policies.put({ generation: 2, policy: { ...REPORTING, plans: [FLEET] } });
    const leases = quietLeases({ updates: store, policies, clock: all.clock, logger: all.logger });
    const ports = { ...all, usage: store.usage, ...leases };
    const [old, used] = [sessionAt(clock.nowMs(), FLEET), sessionAt(clock.nowMs(), FLEET)];
    for (const one of [old, used]) await store.create(one);
    const asker = { edge: "gw-1", instance: INSTANCE };
    const leaseOf = async (id: string, want = 5) => {
      const said = { rows: [], malformed: [], leases: new Map([[id, wish(want).lease]]) };
      return (await acquireSessions(ports, [id], asker, said))?.[0];
    };
    let fleetMs = 0;
    const pass = async (ms: number): Promise<void> => {
      clock.advance(ms);
      fleetMs += ms;
      await raisedTo(store, fleetMs);
    };
    expect(await leaseOf(used.id)).toMatchObject({ lease: { granted: tokens(5) } });
    await pass(10_000);
    store.invalidations.change("20000000000000bb");
    const waits = { lease: { granted: {}, refused: { retryAfterMs: LEASE_TTL_MS + LEASE_GRACE_MS } } };
    expect(await leaseOf(used.id)).toMatchObject(waits);
    // Of this one nothing is stored: whether anything was leased of it nobody knows.
    expect(await leaseOf(old.id)).toMatchObject(waits);
    await pass(LEASE_TTL_MS + LEASE_GRACE_MS + 1000);
    const young = sessionAt(clock.nowMs(), FLEET);
    await store.create(young);
    // They begin with nothing, and a session of this life with all.
    for (const id of [used.id, old.id]) expect(await leaseOf(id, 50)).toMatchObject({ lease: { granted: tokens(5) } });
    expect(await leaseOf(young.id, 50)).toMatchObject({ lease: { granted: tokens(50) } });
  });
});
