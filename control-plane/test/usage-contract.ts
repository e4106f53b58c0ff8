// What every store must do with usage, whatever it is made of. An adapter's test calls this with a way to open one.
import fc from "fast-check";
import { expect, it } from "vitest";

import type { SessionStore } from "../src/app/ports.js";
import type { ReportedRow, UsageStore } from "../src/app/usage-ports.js";
import type { Session } from "../src/domain/session.js";
import { HOUR_MS, METERED, sessionAt, STARTER } from "./support/sessions.js";

export interface StoreWithUsage extends SessionStore {
  readonly usage: UsageStore;
}

const NOW_MS = Date.UTC(2026, 0, 1);
const A = { edge: "gw-1", instance: "aaaaaaaaaaaaaaaa" };
const B = { edge: "gw-1", instance: "bbbbbbbbbbbbbbbb" };
const FAR = { edge: "gw-2", instance: "aaaaaaaaaaaaaaaa" };
const NO_BUDGETS = new Map<number, number>();
const ALWAYS = () => true;

const row = (sessionId: string, rev: number, consumed: number, more: Partial<ReportedRow> = {}): ReportedRow => {
  return { ...A, sessionId, rev, consumed, levelMicro: 1, atMs: NOW_MS + rev, reportedAtMs: NOW_MS + rev, ...more };
};

const consumption = (count: number, more: object = {}) => {
  const budgets = new Map([[METERED.id, 100]]);
  return { count, key: null, keptSinceMs: 0, atMs: NOW_MS, budgets, isLive: ALWAYS, ...more };
};

/** `open` gives an empty store and sees to its end. */
export function usageContract(open: () => Promise<StoreWithUsage>): void {
  const opened = async (plan = STARTER): Promise<[StoreWithUsage, Session]> => {
    const store = await open();
    const session = sessionAt(NOW_MS, plan);
    await store.create(session);
    return [store, session];
  };
  reports(opened);
  consumptions(opened);
  idleEnds(opened);
  removals(opened);
}

type Opened = (plan?: typeof STARTER) => Promise<[StoreWithUsage, Session]>;

function reports(opened: Opened): void {
  it("takes absolute figures: the sum over instances is what the session consumed", async () => {
    const [store, session] = await opened();
    const { id } = session;
    const first = await store.usage.report([row(id, 1, 5), row(id, 1, 7, FAR)], NO_BUDGETS);
    expect(first.get(id)).toMatchObject({ consumed: 12, session: { tokens: { consumed: 12 } } });
    const second = await store.usage.report([row(id, 2, 6)], NO_BUDGETS);
    expect(second.get(id)?.consumed).toBe(1);
    expect((await store.find(id))?.tokens.consumed).toBe(13);
  });

  it("passes over rows of equal and lower rev, and of sessions that never were", async () => {
    const [store, { id }] = await opened();
    await store.usage.report([row(id, 3, 5)], NO_BUDGETS);
    for (const rev of [3, 2, 0]) await store.usage.report([row(id, rev, 50, { atMs: NOW_MS + 99 })], NO_BUDGETS);
    const unknown = sessionAt(NOW_MS).id;
    expect((await store.usage.report([row(unknown, 1, 5)], NO_BUDGETS)).get(unknown)?.session).toBeUndefined();
    expect(await store.usage.rowsOf(unknown)).toEqual([]);
    expect(await store.find(id)).toMatchObject({ tokens: { consumed: 5 }, lastActivity: NOW_MS + 3 });
  });

  it("ends up the same whatever order rows come in, and however often", async () => {
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

  it("counts rows of a session that has ended, and does not make it active", async () => {
    const [store, { id }] = await opened();
    await store.revoke(id, NOW_MS + 1);
    await store.usage.report([row(id, 9, 5)], NO_BUDGETS);
    expect(await store.find(id)).toMatchObject({ tokens: { consumed: 5 }, lastActivity: NOW_MS });
  });

  it("puts a spent budget into the log once, in the commit that spends it", async () => {
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
  it("consumes up to the budget and never past it, all or nothing", async () => {
    const [store, { id }] = await opened(METERED);
    expect(await store.usage.consume(id, consumption(60))).toMatchObject({ outcome: "consumed", consumed: 60 });
    const refused = { outcome: "overBudget", budget: 100, consumed: 60 };
    expect(await store.usage.consume(id, consumption(41))).toEqual(refused);
    const { cursor } = await store.position();
    expect(await store.usage.consume(id, consumption(40))).toMatchObject({ outcome: "consumed", consumed: 100 });
    expect((await store.position()).cursor).toBe(cursor + 1);
    expect((await store.find(id))?.tokens.consumed).toBe(100);
  });

  it("lets of many at once only as many through as the budget has room for", async () => {
    const [store, { id }] = await opened(METERED);
    const all = await Promise.all(Array.from({ length: 9 }, () => store.usage.consume(id, consumption(30))));
    expect(all.filter(({ outcome }) => outcome === "consumed")).toHaveLength(3);
    expect((await store.find(id))?.tokens.consumed).toBe(90);
  });

  it("counts what edges report on top, and what was consumed on top of that", async () => {
    const [store, { id }] = await opened(METERED);
    await store.usage.consume(id, consumption(30));
    await store.usage.report([row(id, 1, 50)], NO_BUDGETS);
    await store.usage.report([row(id, 2, 55)], NO_BUDGETS);
    expect(await store.usage.consume(id, consumption(16))).toMatchObject({ outcome: "overBudget", consumed: 85 });
    expect(await store.usage.consume(id, consumption(15))).toMatchObject({ outcome: "consumed", consumed: 100 });
  });

  it("takes once a key, with the figures of then, until the key is too old", async () => {
    const [store, { id }] = await opened(METERED);
    const keyed = consumption(10, { key: "k" });
    expect(await store.usage.consume(id, keyed)).toMatchObject({ outcome: "consumed", consumed: 10 });
    await store.usage.consume(id, consumption(5));
    expect(await store.usage.consume(id, keyed)).toMatchObject({ outcome: "repeated", consumed: 10 });
    expect(await store.usage.consume(id, { ...keyed, count: 11 })).toEqual({ outcome: "keyReused" });
    const later = { ...keyed, keptSinceMs: NOW_MS + 1, atMs: NOW_MS + 2 };
    expect(await store.usage.consume(id, later)).toMatchObject({ outcome: "consumed", consumed: 25 });
  });

  it("forgets old keys, but not one that was used again", async () => {
    const [store, { id }] = await opened(METERED);
    await store.usage.consume(id, consumption(1, { key: "old" }));
    await store.usage.consume(id, consumption(1, { key: "again" }));
    await store.usage.consume(id, consumption(1, { key: "again", keptSinceMs: NOW_MS + 1, atMs: NOW_MS + 5 }));
    while ((await store.usage.forgetConsumptions(NOW_MS + 5, 1)) > 0) continue;
    expect(await store.usage.consume(id, consumption(1, { key: "again" }))).toMatchObject({ outcome: "repeated" });
    expect(await store.usage.consume(id, consumption(1, { key: "old" }))).toMatchObject({ outcome: "consumed" });
  });

  it("consumes nothing where there is no budget, no session, or one that has ended", async () => {
    const [store, { id }] = await opened(STARTER);
    expect(await store.usage.consume(id, consumption(1))).toEqual({ outcome: "noBudget" });
    expect(await store.usage.consume(id, consumption(1, { isLive: () => false }))).toEqual({ outcome: "ended" });
    expect(await store.usage.consume(sessionAt(NOW_MS).id, consumption(1))).toEqual({ outcome: "unknown" });
  });
}

const idleStep = (more: object = {}) => {
  return { planId: STARTER.id, untilMs: NOW_MS, after: undefined, limit: 10, atMs: NOW_MS, isIdle: ALWAYS, ...more };
};

function idleEnds(opened: Opened): void {
  it("ends idle sessions for good, tells them once, and keeps them", async () => {
    const [store, session] = await opened();
    const ended = { ...session, idleEndedAt: NOW_MS };
    expect(await store.usage.endIdle(idleStep())).toEqual({ sessions: [ended], next: undefined });
    expect((await store.usage.endIdle(idleStep())).sessions).toEqual([]);
    expect(await store.find(session.id)).toEqual(ended);
    const asked = await store.usage.hold(session.id, A, NOW_MS + 1, ALWAYS);
    expect(asked).toEqual({ held: false, session: ended, rows: [] });
    expect(await store.countLive(STARTER.id, 0)).toBe(0);
    expect((await store.position()).cursor).toBe(0);
  });

  it("asks of each session up to a time, in steps, with those who hold it", async () => {
    const [store, session] = await opened();
    const others = [sessionAt(NOW_MS + 1), sessionAt(NOW_MS + 2), sessionAt(NOW_MS + 3), sessionAt(NOW_MS, METERED)];
    for (const one of others) await store.create(one);
    await store.usage.hold(session.id, FAR, NOW_MS, ALWAYS);
    const asked = new Set<string>();
    const held: [string, unknown][] = [];
    const ended: string[] = [];
    const isIdle = ({ id }: Session, holders: readonly unknown[]) => {
      asked.add(id);
      if (holders.length > 0) held.push([id, holders]);
      return holders.length === 0;
    };
    let after: readonly [number, string] | undefined;
    do {
      const step = await store.usage.endIdle(idleStep({ untilMs: NOW_MS + 2, limit: 1, after, isIdle }));
      ended.push(...step.sessions.map(({ id }) => id));
      after = step.next;
    } while (after !== undefined);
    const [second, third] = [others[0]?.id, others[1]?.id];
    expect([...asked]).toEqual([session.id, second, third]);
    expect(held).toMatchObject([[session.id, [{ ...FAR, figures: null }]]]);
    expect(ended).toEqual([second, third]);
  });

  it("finds a session at its last activity, also one that was filed before", async () => {
    const [store, session] = await opened();
    await store.usage.hold(session.id, A, NOW_MS + 50, ALWAYS);
    for (const untilMs of [NOW_MS, NOW_MS + 49]) {
      expect((await store.usage.endIdle(idleStep({ untilMs }))).sessions).toEqual([]);
    }
    expect((await store.usage.endIdle(idleStep({ untilMs: NOW_MS + 50 }))).sessions).toHaveLength(1);
  });

  it("ends one session if it is idle as it then is", async () => {
    const [store, session] = await opened();
    const isIdle = ({ lastActivity }: Session) => lastActivity === NOW_MS;
    await store.usage.hold(session.id, A, NOW_MS + 1, ALWAYS);
    expect((await store.usage.endIfIdle(session.id, NOW_MS, isIdle))?.newly).toBe(false);
    expect((await store.usage.endIfIdle(session.id, NOW_MS, ALWAYS))?.newly).toBe(true);
    expect((await store.usage.endIfIdle(session.id, NOW_MS, ALWAYS))?.newly).toBe(false);
    expect(await store.usage.endIfIdle(sessionAt(NOW_MS).id, NOW_MS, ALWAYS)).toBeUndefined();
  });
}

const expiryStep = (more: object = {}) => {
  return { planId: STARTER.id, untilMs: NOW_MS, after: undefined, limit: 10, isExpired: ALWAYS, ...more };
};

function removals(opened: Opened): void {
  it("removes expired sessions with all that belongs to them, the oldest first", async () => {
    const [store, session] = await opened();
    const younger = sessionAt(NOW_MS + 1);
    await store.create(younger);
    await store.usage.report([row(session.id, 1, 1)], NO_BUDGETS);
    expect(await store.usage.plansInUse()).toEqual([STARTER.id]);
    const step = await store.usage.removeExpired(expiryStep());
    expect(step.sessions.map(({ id }) => id)).toEqual([session.id]);
    expect(await store.find(session.id)).toBeUndefined();
    expect(await store.usage.rowsOf(session.id)).toEqual([]);
    expect(await store.countLive(STARTER.id, 0)).toBe(1);
  });

  it("goes on in steps, past sessions that are to stay", async () => {
    const [store, first] = await opened();
    const [second, third] = [sessionAt(NOW_MS + 1), sessionAt(NOW_MS + 2)];
    await store.create(second);
    await store.create(third);
    const removed: string[] = [];
    let after: string | undefined;
    do {
      const isExpired = ({ id }: Session) => id !== first.id;
      const step = await store.usage.removeExpired(expiryStep({ untilMs: NOW_MS + 9, limit: 1, after, isExpired }));
      removed.push(...step.sessions.map(({ id }) => id));
      after = step.next;
    } while (after !== undefined);
    expect(removed).toEqual([second.id, third.id]);
    expect((await store.find(first.id))?.id).toBe(first.id);
  });

  it("takes as many steps as sessions with many rows need", async () => {
    const [store, { id }] = await opened();
    const second = sessionAt(NOW_MS + 1);
    await store.create(second);
    for (const one of [id, second.id]) {
      const rows = Array.from({ length: 600 }, (_, i) => row(one, 1, 1, { edge: `gw-${i}`, atMs: NOW_MS }));
      await store.usage.report(rows, NO_BUDGETS);
    }
    let [ended, removed] = [0, 0];
    let place: readonly [number, string] | undefined;
    do {
      const step = await store.usage.endIdle(idleStep({ untilMs: NOW_MS + 9, after: place }));
      ended += step.sessions.length;
      place = step.next;
    } while (place !== undefined);
    for (let more = -1; more !== 0; removed += more) more = await store.usage.removeEnded(NOW_MS + 9, 10);
    expect([ended, removed, await store.find(id), await store.find(second.id)]).toEqual([2, 2, undefined, undefined]);
  });

  it("keeps those that ended for good until they are old enough, and then removes them", async () => {
    const [store, revoked] = await opened();
    const [idle, live] = [sessionAt(NOW_MS + HOUR_MS), sessionAt(NOW_MS)];
    await store.create(idle);
    await store.create(live);
    await store.revoke(revoked.id, NOW_MS);
    const isIdle = ({ id }: Session) => id === idle.id;
    await store.usage.endIdle(idleStep({ untilMs: NOW_MS + HOUR_MS, isIdle }));
    expect(await store.usage.removeEnded(NOW_MS, 10)).toBe(0);
    expect(await store.usage.removeEnded(NOW_MS + 1, 10)).toBe(1);
    expect(await store.find(revoked.id)).toBeUndefined();
    expect(await store.usage.removeEnded(NOW_MS + HOUR_MS + 1, 10)).toBe(1);
    expect(await store.find(idle.id)).toBeUndefined();
    expect((await store.find(live.id))?.id).toBe(live.id);
  });
}
