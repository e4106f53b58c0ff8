// What is forgotten in time: ip and user agent of sessions, keys of creations, audit entries.
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import type { Updates } from "../../../src/app/ports/update-ports.js";
import type { AuditEvent } from "../../../src/domain/stored.js";
import { applyRetention, startRetention } from "../../../src/app/upkeep/retention.js";
import type { Retention } from "../../../src/app/upkeep/retention.js";
import { claimedWork } from "../../support/claimed.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { HOUR_MS, sessionAt } from "../../support/sessions.js";
import type { StoreOfTests } from "../../support/temporary-store.js";
import { temporaryStore } from "../../support/temporary-store.js";

const NOW_MS = Date.UTC(2026, 0, 10);
const DAY_MS = 24 * HOUR_MS;
const RETENTION: Retention = { metadataMs: DAY_MS, audit: { maxEntries: 1000, maxAgeMs: 30 * DAY_MS } };

const keep = (store: StoreOfTests, retention: Retention = RETENTION, nowMs = NOW_MS): Promise<void> =>
  applyRetention(store, store.operator, store.audit, retention, nowMs);

const eventAt = (at: number): AuditEvent => ({
  at,
  actor: "operator:00000000",
  action: "session-revoked",
  sessionId: null,
  details: {},
});

const numbers = async (store: StoreOfTests): Promise<number[]> =>
  (await store.audit.auditBefore(undefined, 5000)).map(({ number }) => number);

describe("ip and user agent of a session", () => {
  it("ip and user agent are null after the retention of the settings; the rest stays", async () => {
    const store = await temporaryStore();
    const old = sessionAt(NOW_MS - DAY_MS - 1);
    const young = sessionAt(NOW_MS - DAY_MS);
    const metadata = { ip: "192.0.2.1", userAgent: "curl", route: "/login" };
    for (const session of [old, young]) await store.create({ ...session, metadata });
    await keep(store);
    expect(await store.find(old.id)).toEqual({ ...old, metadata: { ip: null, userAgent: null, route: "/login" } });
    expect((await store.find(young.id))?.metadata).toEqual(metadata);
    await keep(store, RETENTION, NOW_MS + 1);
    expect((await store.find(young.id))?.metadata.ip).toBeNull();
  });

  it("ip and user agent are kept as long as the session where no retention is set", async () => {
    const store = await temporaryStore();
    const old = sessionAt(0);
    await store.create(old);
    await keep(store, { ...RETENTION, metadataMs: null });
    expect((await store.find(old.id))?.metadata.ip).toBe("192.0.2.1");
  });

  it("a round while the clock was a year ahead keeps nothing from being forgotten later", async () => {
    const store = await temporaryStore();
    await keep(store, RETENTION, NOW_MS + 365 * DAY_MS);
    const session = sessionAt(NOW_MS - DAY_MS - 1);
    await store.create(session);
    await keep(store);
    expect((await store.find(session.id))?.metadata.ip).toBeNull();
    expect(await store.operator.forgetMetadata(NOW_MS - DAY_MS, 500)).toBe(0);
  });

  it("ip and user agent go in steps, and what was done is not looked at again", async () => {
    const store = await temporaryStore();
    const many = Array.from({ length: 1201 }, (_, i) => sessionAt(i));
    await Promise.all(many.map((session) => store.create(session)));
    await keep(store);
    const found = await Promise.all(many.map(({ id }) => store.find(id)));
    expect(found.filter((session) => session?.metadata.ip !== null)).toEqual([]);
    expect(await store.operator.forgetMetadata(NOW_MS - DAY_MS, 500)).toBe(0);
  });

  it("a step of the retention that was cut short is continued", async () => {
    const store = await temporaryStore();
    const three = [1, 2, 3].map((at) => sessionAt(at));
    for (const session of three) await store.create(session);
    expect(await store.operator.forgetMetadata(NOW_MS, 2)).toBe(2);
    expect(await store.operator.forgetMetadata(NOW_MS, 2)).toBe(1);
    const found = await Promise.all(three.map(({ id }) => store.find(id)));
    expect(found.map((session) => session?.metadata.ip)).toEqual([null, null, null]);
  });
});

describe("keys of creations", () => {
  const issue = (store: StoreOfTests, key: string, atMs: number) =>
    store.operator.issue({
      session: sessionAt(atMs),
      limit: null,
      repeatable: { key, requestHash: "", keptSinceMs: 0 },
      isLive: () => true,
    });

  it("keys of creations are forgotten after 24 hours", async () => {
    const store = await temporaryStore();
    await issue(store, "old", NOW_MS - DAY_MS - 1);
    await issue(store, "young", NOW_MS - DAY_MS);
    await keep(store);
    expect(await issue(store, "young", NOW_MS)).toMatchObject({ outcome: "repeated" });
    expect(await issue(store, "old", NOW_MS)).toMatchObject({ outcome: "created" });
    expect(await store.operator.forgetCreationKeys(NOW_MS + 1, 10)).toBe(2);
    expect(await store.operator.forgetCreationKeys(NOW_MS + 1, 10)).toBe(0);
  });
});

describe("audit entries", () => {
  it("audit entries above their bound go, the oldest first, and the numbers go on", async () => {
    const store = await temporaryStore();
    for (let i = 0; i < 5; i++) await store.audit.appendAudit(eventAt(NOW_MS));
    await keep(store, { ...RETENTION, audit: { maxEntries: 2, maxAgeMs: DAY_MS } });
    expect(await numbers(store)).toEqual([5, 4]);
    await store.audit.appendAudit(eventAt(NOW_MS));
    expect(await numbers(store)).toEqual([6, 5, 4]);
  });

  it("audit entries that are too old go, but for the last, after which the numbers go on", async () => {
    const store = await temporaryStore();
    for (const age of [40, 31, 2]) await store.audit.appendAudit(eventAt(NOW_MS - age * DAY_MS));
    await keep(store);
    expect(await numbers(store)).toEqual([3]);
    await keep(store, RETENTION, NOW_MS + 100 * DAY_MS);
    expect(await numbers(store)).toEqual([3]);
    await store.audit.appendAudit(eventAt(NOW_MS));
    expect(await numbers(store)).toEqual([4, 3]);
  });

  it("audit entries written at once have numbers without a gap", async () => {
    const store = await temporaryStore();
    await Promise.all(Array.from({ length: 20 }, () => store.audit.appendAudit(eventAt(NOW_MS))));
    expect(await numbers(store)).toEqual(Array.from({ length: 20 }, (_, i) => 20 - i));
  });
});

describe("the retention", () => {
  it("client details go also where pages turn out smaller than asked for", async () => {
    const store = await temporaryStore();
    const old = Array.from({ length: 9 }, (_, i) => sessionAt(NOW_MS - DAY_MS - 10 + i));
    for (const session of old) await store.create(session);
    const update: Updates["update"] = (kind, wanted, decide) =>
      store.update(kind, Object.assign(wanted as object, { limit: 4 }) as typeof wanted, decide);
    await applyRetention({ update }, store.operator, store.audit, RETENTION, NOW_MS);
    const found = await Promise.all(old.map(({ id }) => store.find(id)));
    expect(found.filter((one) => one?.metadata.ip !== null)).toEqual([]);
  });

  it("the retention begins with the process, and ends when it is stopped", async () => {
    const store = await temporaryStore();
    const old = sessionAt(0);
    await store.create(old);
    const { operator, audit } = store;
    const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const stop = startRetention({
      store,
      operator,
      audit,
      retention: RETENTION,
      claimed: claimedWork(),
      clock: new FixedClock(NOW_MS),
      logger,
    });
    await expect.poll(async () => (await store.find(old.id))?.metadata.ip).toBeNull();
    await stop();
  });

  it("a round while the clock is not settled forgets nothing", async () => {
    const store = await temporaryStore();
    const old = sessionAt(NOW_MS - DAY_MS - 1);
    await store.create(old);
    const clock = new FixedClock(NOW_MS);
    clock.settled = false;
    const nothing = (): void => undefined;
    const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    const { operator, audit } = store;
    const claimed = claimedWork();
    const stop = startRetention({ store, operator, audit, retention: RETENTION, claimed, clock, logger });
    await nextTurn();
    await stop();
    expect((await store.find(old.id))?.metadata.ip).toBe("192.0.2.1");
  });
});
