// A Redis that is full: it takes what makes room and what ends sessions, so that it heals by itself.
import { describe, expect, it, onTestFinished } from "vitest";

import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import type { AuditEvent } from "../../../src/domain/stored.js";
import { SPENT, raisedTo } from "../../support/fleet-budgets.js";
import { newRedisStore, redisStoreAt, serverAt } from "../../support/redis-store.js";
import type { RedisStoreOfTests } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";
import { METERED, sessionAt, STARTER } from "../../support/sessions.js";
import { isWritable, untilStore } from "../../support/store-waits.js";
import { A, ALWAYS, NO_BUDGETS, row } from "../../support/store-with-usage.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const BULK = "0192f0c1-0000-7000-8000-000000000000";
const LATER_MS = NOW_MS + 999_999;
const AUDITED: AuditEvent = { at: NOW_MS, actor: "a", action: "session-revoked", sessionId: null, details: {} };
/** No entry goes for its age. */
const YOUNG = { notBeforeMs: 0, nowMs: LATER_MS };
const BUDGETS = new Map([[METERED.id, 5000]]);
const consumption = (key: string | null) => {
  return { key, count: 1, keptSinceMs: 0, atMs: NOW_MS, budgets: BUDGETS, isLive: ALWAYS };
};
const leases = (sessionId: string) => ({ answer: 0, changes: { budgets: [{ sessionId, budget: SPENT }] } });
const forgottenWithLeases = (session = sessionAt(NOW_MS)) => {
  const metadata = { ...session.metadata, ip: null };
  const { answer, changes } = leases(session.id);
  return { answer, changes: { ...changes, sessions: [{ before: session, after: { ...session, metadata } }] } };
};
const FULL = /it is full: its used memory is above its maxmemory/;

describe("a store in a full Redis", () => {
  const server = useServer("Redis 7");

  const bounded = async (maxmemory: number): Promise<void> => {
    await server().command("CONFIG", "SET", "maxmemory", String(maxmemory));
  };

  /** With sessions in it, and no room for anything from then on. */
  async function full(count = 3) {
    const store = await newRedisStore(serverAt(server().port));
    const sessions = Array.from({ length: count }, (_, i) => sessionAt(NOW_MS + i));
    for (const session of sessions) await store.create(session);
    const ids = sessions.map(({ id }) => id);
    return { store, sessions, ids, fill: () => filled(store) };
  }

  async function filled(store: RedisStoreOfTests): Promise<void> {
    await bounded(1);
    onTestFinished(() => bounded(0));
    await expect(store.create(sessionAt(NOW_MS))).rejects.toThrow(FULL);
  }

  it("a full store is freed by a sweep of what has expired, and creations go again by themselves", async () => {
    const store = await newRedisStore(serverAt(server().port));
    await store.create(sessionAt(NOW_MS));
    await bounded(Number(await server().info("used_memory")) + 300_000);
    onTestFinished(() => bounded(0));
    const fill = async (): Promise<void> => {
      for (;;) await Promise.all(Array.from({ length: 50 }, () => store.create(sessionAt(NOW_MS))));
    };
    await expect(fill()).rejects.toThrow(FULL);
    expect(await store.claims.take("sweep", 10_000)).toBe(true);
    const step = { planId: STARTER.id, untilMs: LATER_MS, after: undefined, limit: 50, isExpired: () => true };
    while ((await store.usage.removeExpired(step)).sessions.length > 0);
    await store.claims.release("sweep");
    await untilStore(store, isWritable(store));
    await store.create(sessionAt(NOW_MS));
    expect(await store.countLive(STARTER.id, 0)).toBe(1);
  });

  it("a revocation in a full store is durable, audited and heard, and its repetition is answered", async () => {
    const { store, ids, fill } = await full();
    const other = await redisStoreAt(serverAt(server().port));
    const heard: boolean[] = [];
    other.invalidations.subscribe(({ revoked }) => heard.push(revoked));
    await fill();
    expect(await store.revoke(ids[0] ?? "", NOW_MS, AUDITED)).toMatchObject({ newly: true });
    expect(await store.revoke(ids[0] ?? "", NOW_MS + 9)).toMatchObject({ newly: false });
    await untilStore(store, () => heard.length > 0);
    expect(heard).toEqual([true]);
    expect((await other.find(ids[0] ?? ""))?.revokedAt).toBe(NOW_MS);
    expect(await other.audit.auditBefore(undefined, 9)).toMatchObject([{ action: "session-revoked" }]);
  });

  it("a user's sessions are revoked in a full store, each process hears it, the sweep goes on", async () => {
    const { store, ids, fill } = await full();
    await fill();
    await store.revocations.begin(BULK, { userId: "u1" }, NOW_MS + 9, AUDITED);
    expect((await store.revocations.expand(BULK, 9, NOW_MS + 10))?.operation).toMatchObject({ revoked: ids.length });
    expect((await store.position()).cursor).toBe(ids.length);
    expect(await store.usage.removeEnded(LATER_MS, 9)).toBe(ids.length);
    expect(await store.revocations.forgetFinished(Date.UTC(2027, 0, 1), 9)).toBe(1);
  });

  it("a full store stays closed to new sessions, acquires, reports and leases after a revocation", async () => {
    const { store, ids, fill } = await full();
    const [one = "", other = ""] = ids;
    const metered = sessionAt(NOW_MS + 9, METERED);
    await store.create(metered);
    await fill();
    await store.revoke(one, NOW_MS);
    expect(store.health.unwritable()).toMatch(FULL);
    store.health.look();
    const closed = [
      () => store.create(sessionAt(NOW_MS)),
      () => store.usage.hold(other, A, NOW_MS, ALWAYS),
      () => store.usage.report([row(other, 1, 5)], NO_BUDGETS),
      // Of a session that has ended as well: there is no end to reports.
      () => store.usage.report([row(one, 1, 5)], NO_BUDGETS),
      () => store.update("leases", [other], () => leases(other)),
      () => store.update("session", other, () => leases(other)),
      // Nor beside what would go by itself.
      () => store.update("session", other, ({ found }) => forgottenWithLeases(found?.session)),
      () => store.usage.consume(metered.id, consumption(null)),
      () => store.audit.appendAudit(AUDITED),
    ];
    for (const write of closed) await expect(write()).rejects.toThrow(StoreUnwritable);
    await expect(store.create(sessionAt(NOW_MS))).rejects.toThrow(FULL);
  });

  it("acquire, leases and revocation that wait together go together where the store is full", async () => {
    const { store, ids, fill } = await full();
    const [id = ""] = ids;
    await fill();
    // The first has its turn at once; the others wait for it, and are decided in one go.
    const first = store.revoke(sessionAt(NOW_MS).id, NOW_MS);
    const busy = store.usage.hold(id, A, NOW_MS, () => false);
    const [held, revoked] = [store.usage.hold(id, A, NOW_MS, ALWAYS), store.revoke(id, NOW_MS + 1)];
    const returned = store.update("session", id, () => leases(id));
    await Promise.all([first, busy]);
    expect(await held).toMatchObject({ held: true });
    expect(await revoked).toMatchObject({ newly: true });
    await returned;
    expect((await store.usage.look(id)).found).toMatchObject({ rows: [A], budget: SPENT });
  });

  it("what idleness ends and what is forgotten of clients goes in a full store too", async () => {
    const { store, sessions, ids, fill } = await full();
    await store.usage.hold(ids[0] ?? "", A, NOW_MS + 50, ALWAYS);
    await fill();
    expect(await store.operator.forgetMetadata(LATER_MS, 9)).toBe(sessions.length);
    expect((await store.find(ids[1] ?? ""))?.metadata.ip).toBeNull();
    const idle = { planId: STARTER.id, untilMs: LATER_MS, after: undefined, limit: 9, atMs: NOW_MS, isIdle: ALWAYS };
    // The first was active since it was filed: it is filed anew, and met again there.
    expect((await store.usage.endIdle(idle)).sessions.map(({ id }) => id)).toEqual(ids.slice(1));
    expect((await store.usage.endIdle(idle)).sessions.map(({ id }) => id)).toEqual(ids.slice(0, 1));
  });

  it("both logs are trimmed and old keys forgotten in a full store", async () => {
    const { store, ids, fill } = await full();
    for (const id of ids) await store.revoke(id, NOW_MS, AUDITED);
    const made = sessionAt(NOW_MS + 9, METERED);
    const repeatable = { key: "k", requestHash: "h", keptSinceMs: 0 };
    await store.operator.issue({ session: made, limit: null, repeatable, isLive: ALWAYS });
    await store.usage.consume(made.id, consumption("c"));
    await fill();
    expect(await store.claims.take("retention", 60_000)).toBe(true);
    expect(await store.invalidations.trim({ entries: 1, ...YOUNG }, 2)).toBe(2);
    expect(await store.audit.trimAudit({ maxEntries: 1, ...YOUNG }, 2)).toBe(2);
    expect(await store.operator.forgetCreationKeys(LATER_MS, 9)).toBe(1);
    expect(await store.usage.forgetConsumptions(LATER_MS, 9)).toBe(1);
    await store.claims.release("retention");
    expect(await server().command("EXISTS", "{sluice}:claim:retention")).toBe(0);
  });

  it("control planes go on telling each other of their edges over a full store", async () => {
    const { store, fill } = await full();
    const other = await redisStoreAt(serverAt(server().port));
    await fill();
    const mine = store.edgeStatus.shared;
    await mine?.beat(NOW_MS, false);
    await mine?.noteCursors([{ ...A, log: "l", since: 3 }]);
    const said = await other.edgeStatus.shared?.changedAfter(0, 9);
    expect(said).toMatchObject({ changes: [{ kind: "cursor" }], processes: [{ atMs: NOW_MS }] });
    await other.edgeStatus.shared?.forget(mine?.process ?? "");
    expect(await store.edgeStatus.shared?.changedAfter(0, 9)).toMatchObject({ processes: [] });
  });

  it("the fleet clock is raised in a full store too, and stands there as a whole number", async () => {
    const { store, fill } = await full(1);
    await fill();
    expect(await raisedTo(store, 1_767_225_600_123)).toBe(1_767_225_600_123);
    expect(await server().command("HGET", "{sluice}:meta", "fleetTime")).toBe("1767225600123");
  });

  it("a session that is noted as ahead of the clock does not keep a full store from its sweep", async () => {
    const { store, sessions, fill } = await full(2);
    await fill();
    const changes = {
      sessions: sessions.map((session, i) => {
        return { before: session, after: i === 0 ? null : { ...session, aheadSince: NOW_MS } };
      }),
    };
    await store.update("createdAfter", { createdAfterMs: 0, after: undefined, limit: 9 }, () => ({
      answer: 0,
      changes,
    }));
    expect(await store.find(sessions[0]?.id ?? "")).toBeUndefined();
    expect(await store.find(sessions[1]?.id ?? "")).toMatchObject({ aheadSince: NOW_MS });
  });
});
