// acquire: the answer about a session that an edge does not hold.
import { describe, expect, it } from "vitest";

import { acquireSession } from "../../../src/app/edges/acquire-session.js";
import { created, expectError, INSTANCE, KEYS, shown, startTestControlPlane } from "../../support/control-plane.js";
import { decideRevocation } from "../../../src/domain/decisions/revoke-sessions.js";
import { withVerbs } from "../../support/store-verbs.js";
import { MemoryStore } from "../../../src/store/memory/store.js";
import { HOUR_MS, METERED, sessionAt, STARTER } from "../../support/sessions.js";

describe("an edge asks for a session", () => {
  it("an acquire of a live session gives its plan, its end and a full bucket", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane, { plan: "metered" });
    plane.clock.advance(1000);
    const answer = await plane.acquire(session.id);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      state: "live",
      plan: METERED.id,
      endsInMs: HOUR_MS - 1000,
      level: METERED.maxTokens * 1_000_000,
      consumed: 0,
      rev: 0,
      budgetSpent: false,
      generation: 1,
      ...(await plane.store.position()),
    });
  });

  it("an acquire names the generation that is published, so that the edge can wait for it", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.setPlans(METERED, STARTER);
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "live", generation: 2 });
  });

  it("an acquire makes the session active", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.clock.advance(1234);
    await plane.acquire(session.id);
    expect((await shown(plane, session.id)).lastActivity).toBe(session.createdAt + 1234);
  });

  it("an acquire of a session that never was gives unknown, and when to ask again", async () => {
    const plane = await startTestControlPlane();
    const position = await plane.store.position();
    const answer = await plane.acquire(sessionAt(plane.clock.nowMs()).id);
    expect(answer.body).toEqual({
      ...{ state: "unknown", endsInMs: 5000, consumed: 0, rev: 0, generation: 1 },
      ...position,
    });
  });

  it("an acquire gives plan id and creation size of a plan that the policy no longer has", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.setPlans(METERED);
    const level = STARTER.maxTokens * 1_000_000;
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "live", plan: STARTER.id, level });
  });

  it("an acquire gets 503 while no policy is loaded", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.setPlans();
    expectError(await plane.acquire(session.id), "NO_POLICY");
    expect((await shown(plane, session.id)).lastActivity).toBe(session.lastActivity);
  });

  it("an acquire may have fields that this version does not know", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const answer = await plane.acquire(session.id, { ask: 3, cost: 1, lease: { want: [1] } });
    expect(answer.body).toMatchObject({ state: "live" });
  });

  const bad: [what: string, fields: object, field: string][] = [
    ["an empty edge name", { edge: "" }, "edge"],
    ["an edge name that is too long", { edge: "x".repeat(257) }, "edge"],
    ["an edge name with a line feed", { edge: "a\nb" }, "edge"],
    ["an edge that is a number", { edge: 7 }, "edge"],
    ["an instance that is too short", { instance: "0011" }, "instance"],
    ["an instance in capitals", { instance: "00112233AABBCCDD" }, "instance"],
    ["a session that is none", { session: "u1" }, "session"],
    ["a session that is null", { session: null }, "session"],
  ];
  it.each(bad)("an acquire with %s is 400 and names the field", async (_what, fields, field) => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    expectError(await plane.acquire(session.id, fields), "INVALID_REQUEST", field);
    expect((await shown(plane, session.id)).lastActivity).toBe(session.lastActivity);
  });

  it("an acquire that lacks a field is 400, and one that is too large is 413", async () => {
    const plane = await startTestControlPlane();
    const whole = { edge: "gw-1", instance: INSTANCE, session: sessionAt(0).id };
    for (const field of ["edge", "instance", "session"]) {
      const body = { ...whole, [field]: undefined };
      const answer = await plane.call("POST", "/edge/v1/acquire", body, KEYS.edgeCredential);
      expectError(answer, "INVALID_REQUEST", field);
    }
    const large = { ...whole, more: "x".repeat(65_536) };
    const answer = await plane.call("POST", "/edge/v1/acquire", large, KEYS.edgeCredential);
    expectError(answer, "BODY_TOO_LARGE");
  });

  it("acquires are counted by outcome", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.acquire(session.id);
    await plane.acquire(sessionAt(0).id);
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_acquires_total{outcome="live"} 1');
    expect(text).toContain('sluice_control_acquires_total{outcome="unknown"} 1');
  });
});

const ASKER = { edge: "gw-1", instance: INSTANCE };

/** A store in which a session is revoked just before or after another is looked at, as by another request. */
function storeRevoking() {
  const store = withVerbs(new MemoryStore());
  const revoking: { before?: string; after?: string } = {};
  const update = store.update.bind(store);
  const position = store.position.bind(store);
  const revoke = async (id: string) => {
    await update("session", id, ({ found }) => decideRevocation(found?.session, 1, undefined));
  };
  store.update = async (...asked) => {
    if (revoking.before !== undefined) await revoke(revoking.before);
    return update(...asked);
  };
  store.position = async () => {
    const before = await position();
    if (revoking.after !== undefined) await revoke(revoking.after);
    return before;
  };
  return { store, revoking };
}

describe("an acquire and a revocation at the same time", () => {
  it("a live answer never carries a cursor past a revocation that it has not seen", async () => {
    const { store, revoking } = storeRevoking();
    const { ports, clock } = await startTestControlPlane(store);
    const { usage } = store;
    const session = sessionAt(clock.nowMs());
    await store.create(session);
    revoking.after = session.id;
    expect(await acquireSession({ ...ports, usage }, session.id, ASKER)).toMatchObject({ state: "live", cursor: 0 });
    expect((await store.position()).cursor).toBe(1);
  });

  it("a revocation before the session is read is answered, with a cursor that covers it", async () => {
    const { store, revoking } = storeRevoking();
    const { ports, clock } = await startTestControlPlane(store);
    const { usage } = store;
    const session = sessionAt(clock.nowMs());
    await store.create(session);
    revoking.before = session.id;
    expect(await acquireSession({ ...ports, usage }, session.id, ASKER)).toMatchObject({ state: "revoked", cursor: 1 });
  });

  it("a session that is used again while it is found idle is still given to the edge", async () => {
    const store = withVerbs(new MemoryStore());
    const { ports, clock, setPlans } = await startTestControlPlane(store);
    setPlans({ ...STARTER, maxAge: 60_000 });
    const { usage } = store;
    const session = sessionAt(clock.nowMs());
    await store.create(session);
    clock.advance(HOUR_MS / 2);
    const other = { edge: "gw-2", instance: INSTANCE };
    let commits = 0;
    store.betweenLoadAndCommit = async () => {
      // The second commit is to end the session.
      if (++commits === 2) await usage.hold(session.id, other, clock.nowMs(), () => true);
    };
    expect(await acquireSession({ ...ports, usage }, session.id, ASKER)).toMatchObject({ state: "live" });
    expect((await usage.rowsOf(session.id)).map(({ edge }) => edge)).toEqual(["gw-1", "gw-2"]);
  });
});
