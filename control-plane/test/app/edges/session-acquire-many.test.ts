// acquire of many sessions in one call: each is answered as it would be alone.
import { describe, expect, it } from "vitest";

import { MAX_ACQUIRE_SESSIONS } from "../../../../assembly/contract.js";
import { acquireSessions } from "../../../src/app/edges/acquire-session.js";
import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import { UpdateConflict } from "../../../src/app/ports/update-ports.js";
import { decideRevocation } from "../../../src/domain/decisions/revoke-sessions.js";
import { MemoryStore } from "../../../src/store/memory/store.js";
import { created, expectError, INSTANCE, shown, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { GRACE_MS } from "../../support/idle-plane.js";
import { HOUR_MS, sessionAt } from "../../support/sessions.js";
import { withVerbs } from "../../support/store-verbs.js";

describe("an edge asks for many sessions in one call", () => {
  const acquireAll = (plane: TestControlPlane, ids: readonly unknown[]) =>
    plane.acquire(String(ids[0]), { others: ids.slice(1).map((session) => ({ session })) });

  it("an acquire of many sessions answers each, by its id, as it would be answered alone", async () => {
    const plane = await startTestControlPlane();
    const [live, revoked, metered] = [
      (await created(plane)).session,
      (await created(plane)).session,
      (await created(plane, { plan: "metered" })).session,
    ];
    await plane.call("DELETE", `/v1/sessions/${revoked.id}`);
    const unknown = sessionAt(plane.clock.nowMs());
    const ids = [live.id, revoked.id, metered.id, unknown.id];
    const { status, body } = await acquireAll(plane, ids);
    expect(status).toBe(200);
    const alone = await Promise.all(ids.map(async (id) => (await plane.acquire(id)).body as object));
    const [first, ...others] = alone;
    const named = others.map((answer, index) => ({ session: ids[index + 1], ...answer }));
    expect(body).toEqual({ ...first, others: named });
    expect(alone).toMatchObject(["live", "revoked", "live", "unknown"].map((state) => ({ state })));
  });

  it("an acquire of many sessions makes each of them active", async () => {
    const plane = await startTestControlPlane();
    const sessions = [(await created(plane)).session, (await created(plane)).session];
    plane.clock.advance(1234);
    const ids = sessions.map(({ id }) => id);
    await acquireAll(plane, ids);
    for (const { id, createdAt } of sessions) expect((await shown(plane, id)).lastActivity).toBe(createdAt + 1234);
  });

  it("sessions that are over are answered so while the store takes no writes, live ones not", async () => {
    const plane = await startTestControlPlane();
    const [live, revoked, expired] = [
      (await created(plane)).session,
      (await created(plane)).session,
      sessionAt(plane.clock.nowMs() - 2 * HOUR_MS),
    ];
    await plane.call("DELETE", `/v1/sessions/${revoked.id}`);
    await plane.store.create(expired);
    const unknown = sessionAt(plane.clock.nowMs());
    plane.clock.advance(GRACE_MS);
    const before = await plane.acquire(revoked.id);
    const { log } = before.body as { log: string };
    plane.ports.store.update = () => Promise.reject(new StoreUnwritable("the disk is full"));
    const { status, body } = await acquireAll(plane, [live.id, revoked.id, expired.id, unknown.id]);
    expect([status, body]).toEqual([
      200,
      {
        ...{ state: "unavailable", log, cursor: 1, generation: 1 },
        others: [
          { session: revoked.id, ...(before.body as object) },
          expect.objectContaining({ session: expired.id, state: "expired" }),
          expect.objectContaining({ session: unknown.id, state: "unknown" }),
        ],
      },
    ]);
    expect(await plane.acquire(revoked.id)).toMatchObject({ status: 200, body: before.body });
    expectError(await plane.acquire(live.id), "NOT_WRITTEN");
    plane.ports.usage.look = () => {
      throw new Error("LMDB has given up");
    };
    expectError(await plane.acquire(revoked.id), "NOT_WRITTEN");
  });

  it("a session that others write all the time leaves the others of its call answered", async () => {
    const plane = await startTestControlPlane();
    const { store } = plane.ports;
    const [busy, quiet] = [(await created(plane)).session.id, (await created(plane)).session.id];
    const update = store.update.bind(store);
    store.update = (kind, wanted, decide) =>
      wanted === busy ? Promise.reject(new UpdateConflict(kind)) : update(kind, wanted, decide);
    const { status, body } = await acquireAll(plane, [busy, quiet]);
    expect([status, body]).toMatchObject([
      200,
      { state: "unavailable", generation: 1, others: [{ session: quiet, state: "live" }] },
    ]);
    expectError(await plane.acquire(busy), "NOT_WRITTEN");
    store.update = update;
    expect((await plane.acquire(busy)).body).toMatchObject({ state: "live" });
  });

  it("an acquire takes 64 sessions, and leaves out those beyond", async () => {
    const plane = await startTestControlPlane();
    const ids = Array.from({ length: 70 }, () => sessionAt(plane.clock.nowMs()).id);
    const { body } = await acquireAll(plane, ids);
    const { others } = body as { others: { session: string }[] };
    expect(others.map(({ session }) => session)).toEqual(ids.slice(1, MAX_ACQUIRE_SESSIONS));
  });

  it.each([["u1"], [7], [null], [{}]])(
    "an acquire leaves %j out among its others, and answers the rest",
    async (bad) => {
      const plane = await startTestControlPlane();
      const { session } = await created(plane);
      const other = await created(plane);
      const { status, body } = await acquireAll(plane, [session.id, bad, other.session.id]);
      expect(status).toBe(200);
      expect(body).toMatchObject({ state: "live", others: [{ session: other.session.id, state: "live" }] });
    },
  );

  it.each([[[]], [[7, null, "x", [], {}]]])(
    "an acquire with the others %j answers the first session",
    async (others) => {
      const plane = await startTestControlPlane();
      const { session } = await created(plane);
      expect((await plane.acquire(session.id, { others })).body).toMatchObject({ state: "live", others: [] });
    },
  );

  it("an acquire whose first session is none is 400, whatever the others are", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    expectError(await acquireAll(plane, ["u1", session.id]), "INVALID_REQUEST", "session");
    expectError(await plane.acquire(session.id, { others: 7 }), "INVALID_REQUEST", "others");
  });

  it("a revocation while a call's sessions are looked up makes none of its answers out of date", async () => {
    const store = withVerbs(new MemoryStore());
    const { ports, clock } = await startTestControlPlane(store);
    const { usage } = store;
    const sessions = [sessionAt(clock.nowMs()), sessionAt(clock.nowMs()), sessionAt(clock.nowMs())];
    for (const one of sessions) await store.create(one);
    const ids = sessions.map(({ id }) => id);
    const update = store.update.bind(store);
    let lookedUp = 0;
    // Once the first of them has been looked up, the last is revoked.
    store.update = async (...asked) => {
      const answer = await update(...asked);
      const last = ids[2] ?? "";
      if (++lookedUp === 1)
        await update("session", last, ({ found }) => decideRevocation(found?.session, 1, undefined));
      return answer;
    };
    const answers = await acquireSessions({ ...ports, usage }, ids, { edge: "gw-1", instance: INSTANCE });
    expect(answers?.map(({ state }) => state)).toEqual(["live", "live", "revoked"]);
    expect(answers?.map(({ cursor }) => cursor)).toEqual([1, 1, 1]);
  });

  it("sessions of one call are counted each by its outcome", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await acquireAll(plane, [session.id, sessionAt(0).id, sessionAt(0).id]);
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_acquires_total{outcome="live"} 1');
    expect(text).toContain('sluice_control_acquires_total{outcome="unknown"} 2');
  });
});
