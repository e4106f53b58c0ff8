// What every store must do with usage, whatever it is made of. An adapter's test calls this with a way to open one.
import fc from "fast-check";
import { expect, it } from "vitest";

import { METERED, sessionAt, STARTER } from "../support/sessions.js";
import { A, ALWAYS, B, FAR, NO_BUDGETS, NOW_MS, row, withSession } from "../support/store-with-usage.js";
import type { Opened, StoreWithUsage } from "../support/store-with-usage.js";

const consumption = (count: number, more: object = {}) => {
  const budgets = new Map([[METERED.id, 100]]);
  return { count, key: null, keptSinceMs: 0, atMs: NOW_MS, budgets, isLive: ALWAYS, ...more };
};

/** `open` gives an empty store and sees to its end. */
export function usageContract(open: () => Promise<StoreWithUsage>): void {
  const opened = withSession(open);
  reports(opened);
  consumptions(opened);
}

function reports(opened: Opened): void {
  it("figures are absolute: the sum over instances is what the session consumed", async () => {
    const [store, session] = await opened();
    const { id } = session;
    const first = await store.usage.report([row(id, 1, 5), row(id, 1, 7, FAR)], NO_BUDGETS);
    expect(first.get(id)).toMatchObject({ consumed: 12, session: { tokens: { consumed: 12 } } });
    const second = await store.usage.report([row(id, 2, 6)], NO_BUDGETS);
    expect(second.get(id)?.consumed).toBe(1);
    expect((await store.find(id))?.tokens.consumed).toBe(13);
  });

  it("rows of an equal or lower rev, and of sessions that never were, change nothing", async () => {
    const [store, { id }] = await opened();
    await store.usage.report([row(id, 3, 5)], NO_BUDGETS);
    for (const rev of [3, 2, 0]) await store.usage.report([row(id, rev, 50, { atMs: NOW_MS + 99 })], NO_BUDGETS);
    const unknown = sessionAt(NOW_MS).id;
    expect((await store.usage.report([row(unknown, 1, 5)], NO_BUDGETS)).get(unknown)?.session).toBeUndefined();
    expect(await store.usage.rowsOf(unknown)).toEqual([]);
    expect(await store.find(id)).toMatchObject({ tokens: { consumed: 5 }, lastActivity: NOW_MS + 3 });
  });

  it("a later row gives back nothing that was spent", async () => {
    const [store, { id }] = await opened();
    await store.usage.report([row(id, 1, 10)], NO_BUDGETS);
    expect((await store.usage.report([row(id, 2, 3)], NO_BUDGETS)).get(id)?.consumed).toBe(0);
    await store.usage.report([row(id, 3, 12)], NO_BUDGETS);
    expect((await store.find(id))?.tokens.consumed).toBe(12);
  });

  it("rows end up the same in whatever order they come, and however often", async () => {
    const [store] = await opened();
    const history = fc.array(fc.record({ of: fc.constantFrom(A, B, FAR), spent: fc.nat(9) }), {
      minLength: 1,
      maxLength: 8,
    });
    const order = fc.array(fc.nat(), { minLength: 16, maxLength: 16 });
    const property = fc.asyncProperty(history, order, fc.integer({ min: 1, max: 4 }), async (steps, order, atOnce) => {
      const session = sessionAt(NOW_MS);
      await store.create(session);
      const figures = new Map<object, { rev: number; consumed: number }>();
      const rows = steps.map(({ of, spent }) => {
        const { rev, consumed } = figures.get(of) ?? { rev: 0, consumed: 0 };
        const next = { rev: rev + 1, consumed: consumed + spent };
        figures.set(of, next);
        return row(session.id, next.rev, next.consumed, of);
      });
      const arrivals = [...rows, ...rows].map((one, i) => ({ one, at: order[i] ?? 0 }));
      arrivals.sort((a, b) => a.at - b.at);
      for (let i = 0; i < arrivals.length; i += atOnce) {
        const report = arrivals.slice(i, i + atOnce).map(({ one }) => one);
        await store.usage.report(report, NO_BUDGETS);
      }

      const sum = [...figures.values()].reduce((total, { consumed }) => total + consumed, 0);
      const lastActivity = NOW_MS + Math.max(...rows.map(({ rev }) => rev));
      expect(await store.find(session.id)).toMatchObject({ tokens: { consumed: sum }, lastActivity });
      for (const { edge, instance, figures: stored } of await store.usage.rowsOf(session.id)) {
        const of = [A, B, FAR].find((one) => one.edge === edge && one.instance === instance);
        expect(stored).toMatchObject(figures.get(of ?? {}) ?? { rev: "none" });
      }
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it("levels of further limits are kept by name: a later row replaces those that it has", async () => {
    const [store, { id }] = await opened();
    const at = (levelMicro: number, atMs: number) => ({ levelMicro, atMs });
    const [daily, odd] = [at(5, NOW_MS + 1), at(-6, NOW_MS + 1)];
    await store.usage.report([row(id, 1, 5, { limits: { daily, constructor: odd, "7": odd } })], NO_BUDGETS);
    await store.usage.report([row(id, 2, 5)], NO_BUDGETS);
    const later = at(4, NOW_MS + 3);
    await store.usage.report([row(id, 3, 6, { limits: { daily: later } })], NO_BUDGETS);
    for (const rev of [3, 1])
      await store.usage.report([row(id, rev, 9, { limits: { daily, other: odd } })], NO_BUDGETS);
    await store.usage.hold(id, A, NOW_MS + 9, ALWAYS);
    const limits = { daily: later, constructor: odd, "7": odd };
    expect(await store.usage.rowsOf(id)).toEqual([
      { ...A, figures: { rev: 3, consumed: 6, levelMicro: 1, atMs: NOW_MS + 3, reportedAtMs: NOW_MS + 3, limits } },
    ]);
  });

  it("rows of a session that has ended count, and do not make it active", async () => {
    const [store, { id }] = await opened();
    await store.revoke(id, NOW_MS + 1);
    await store.usage.report([row(id, 9, 5)], NO_BUDGETS);
    expect(await store.find(id)).toMatchObject({ tokens: { consumed: 5 }, lastActivity: NOW_MS });
  });

  it("a spent budget enters the log once, in the commit that spends it", async () => {
    const [store, { id }] = await opened(METERED);
    const budgets = new Map([[METERED.id, 10]]);
    const { cursor } = await store.position();
    await store.usage.report([row(id, 1, 9)], budgets);
    expect((await store.position()).cursor).toBe(cursor);
    await store.usage.report([row(id, 2, 10)], budgets);
    await store.usage.report([row(id, 3, 11), row(id, 1, 4, FAR)], budgets);
    expect((await store.position()).cursor).toBe(cursor + 1);
    await store.usage.report([row(id, 4, 11)], new Map([[METERED.id, 15]]));
    expect((await store.position()).cursor).toBe(cursor + 2);
  });
}

function consumptions(opened: Opened): void {
  it("a consumption goes up to the budget and never past it, all or nothing", async () => {
    const [store, { id }] = await opened(METERED);
    expect(await store.usage.consume(id, consumption(60))).toMatchObject({ outcome: "consumed", consumed: 60 });
    const over = { outcome: "overBudget", budget: 100, consumed: 60 };
    expect(await store.usage.consume(id, consumption(41))).toEqual(over);
    const { cursor } = await store.position();
    expect(await store.usage.consume(id, consumption(40))).toMatchObject({ outcome: "consumed", consumed: 100 });
    expect((await store.position()).cursor).toBe(cursor + 1);
    expect((await store.find(id))?.tokens.consumed).toBe(100);
  });

  it("consumptions at once pass only as far as the budget has room", async () => {
    const [store, { id }] = await opened(METERED);
    const all = await Promise.all(Array.from({ length: 9 }, () => store.usage.consume(id, consumption(30))));
    expect(all.filter(({ outcome }) => outcome === "consumed")).toHaveLength(3);
    expect((await store.find(id))?.tokens.consumed).toBe(90);
  });

  it("consumption by edges and by backends adds up", async () => {
    const [store, { id }] = await opened(METERED);
    await store.usage.consume(id, consumption(30));
    await store.usage.report([row(id, 1, 50)], NO_BUDGETS);
    await store.usage.report([row(id, 2, 55)], NO_BUDGETS);
    expect(await store.usage.consume(id, consumption(16))).toMatchObject({ outcome: "overBudget", consumed: 85 });
    expect(await store.usage.consume(id, consumption(15))).toMatchObject({ outcome: "consumed", consumed: 100 });
  });

  it("a key consumes once, and repeats its first figures until it is too old", async () => {
    const [store, { id }] = await opened(METERED);
    const keyed = consumption(10, { key: "k" });
    expect(await store.usage.consume(id, keyed)).toMatchObject({ outcome: "consumed", consumed: 10 });
    await store.usage.consume(id, consumption(5));
    expect(await store.usage.consume(id, keyed)).toMatchObject({ outcome: "repeated", consumed: 10 });
    expect(await store.usage.consume(id, { ...keyed, count: 11 })).toEqual({ outcome: "keyReused" });
    const later = { ...keyed, keptSinceMs: NOW_MS + 1, atMs: NOW_MS + 2 };
    expect(await store.usage.consume(id, later)).toMatchObject({ outcome: "consumed", consumed: 25 });
  });

  it("old keys are forgotten, but not one that was used again", async () => {
    const [store, { id }] = await opened(METERED);
    await store.usage.consume(id, consumption(1, { key: "old" }));
    await store.usage.consume(id, consumption(1, { key: "again" }));
    await store.usage.consume(id, consumption(1, { key: "again", keptSinceMs: NOW_MS + 1, atMs: NOW_MS + 5 }));
    while ((await store.usage.forgetConsumptions(NOW_MS + 5, 1)) > 0) continue;
    expect(await store.usage.consume(id, consumption(1, { key: "again" }))).toMatchObject({ outcome: "repeated" });
    expect(await store.usage.consume(id, consumption(1, { key: "old" }))).toMatchObject({ outcome: "consumed" });
  });

  it("a consumption needs a live session with a budget", async () => {
    const [store, { id }] = await opened(STARTER);
    expect(await store.usage.consume(id, consumption(1))).toEqual({ outcome: "noBudget" });
    expect(await store.usage.consume(id, consumption(1, { isLive: () => false }))).toEqual({ outcome: "ended" });
    expect(await store.usage.consume(sessionAt(NOW_MS).id, consumption(1))).toEqual({ outcome: "unknown" });
  });
}
