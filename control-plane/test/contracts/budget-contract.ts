// What every store must do with fleet budgets and the fleet clock. An adapter's test calls this with a way to open one.
import { expect, it } from "vitest";

import type { FleetTime } from "../../src/app/ports/fleet-time.js";
import { unchanged } from "../../src/domain/changes.js";
import type { Changes } from "../../src/domain/changes.js";
import type { FleetBudget } from "../../src/domain/leases/fleet-budget.js";
import type { StoreLife } from "../../src/domain/leases/store-life.js";
import type { HeldRow, SessionRecord } from "../../src/domain/stored.js";
import { budgetWith, microIn, SPENT } from "../support/fleet-budgets.js";
import { METERED, sessionAt, STARTER } from "../support/sessions.js";
import { A, ALWAYS, B, FAR, NO_BUDGETS, NOW_MS, row, withSession } from "../support/store-with-usage.js";
import type { Opened, StoreWithUsage } from "../support/store-with-usage.js";

/** `open` gives an empty store and sees to its end. */
export function budgetContract(open: () => Promise<StoreWithUsage>): void {
  const opened = withSession(open);
  kept(opened);
  gone(opened);
  decidedOn(opened);
}

const write = (store: StoreWithUsage, changes: Changes): Promise<unknown> =>
  store.update("newestSession", { userId: "nobody" }, () => ({ answer: undefined, changes }));
const give = (store: StoreWithUsage, sessionId: string, budget: FleetBudget | null): Promise<unknown> =>
  store.update("leases", [sessionId], () => ({ answer: undefined, changes: { budgets: [{ sessionId, budget }] } }));
const found = async (store: StoreWithUsage, id: string): Promise<SessionRecord | undefined> =>
  (await store.update("session", id, unchanged)).answer.found;
const leased = async (store: StoreWithUsage, ids: readonly string[]) =>
  (await store.update("leases", ids, unchanged)).answer;

function kept(opened: Opened): void {
  it("a fleet budget is found with its session exactly as it was written", async () => {
    const [store, session] = await opened();
    const { id } = session;
    expect(await found(store, id)).toStrictEqual({ session, rows: [] });
    await give(store, id, SPENT);
    const record = { session, rows: [], budget: SPENT };
    expect(await found(store, id)).toEqual(record);
    expect((await leased(store, [id])).found).toEqual(new Map([[id, record]]));
    expect((await store.usage.look(id)).found).toEqual(record);
    await give(store, id, budgetWith(5));
    expect((await found(store, id))?.budget).toEqual(budgetWith(5));
  });

  it("what a later version keeps in a fleet budget stays in it", async () => {
    const [store, { id }] = await opened();
    const [lease] = SPENT.leases;
    const later = {
      ...{ ...SPENT, later: { a: [1] } },
      levels: { "": { micro: 1, remainder: 0, later: "x" } },
      leases: [{ ...lease, later: null, refused: { bucket: "", untilMs: 1, later: 2 } }],
    } as unknown as FleetBudget;
    await give(store, id, later);
    expect((await found(store, id))?.budget).toEqual(later);
  });

  it("a session keeps its fleet budget whatever else is written of it", async () => {
    const [store, { id }] = await opened();
    await give(store, id, SPENT);
    await store.usage.hold(id, A, NOW_MS + 1, ALWAYS);
    await store.usage.report([row(id, 1, 5, FAR)], NO_BUDGETS);
    await store.operator.changePlan(id, { plan: METERED, atMs: NOW_MS, isLive: ALWAYS, actor: "a" });
    const consumption = { count: 1, key: "k", keptSinceMs: 0, atMs: NOW_MS, budgets: new Map([[METERED.id, 9]]) };
    await store.usage.consume(id, { ...consumption, isLive: ALWAYS });
    await store.revoke(id, NOW_MS + 2);
    const { found: all } = await leased(store, [id]);
    expect(all.get(id)).toMatchObject({ rows: [A, FAR], session: { plan: { id: METERED.id } }, budget: SPENT });
  });

  it("levels that are what was left of a lease are known as that in every form of a row", async () => {
    const [store, { id }] = await opened();
    const figures = { rev: 1, consumed: 2, levelMicro: 3, atMs: NOW_MS, reportedAtMs: NOW_MS, isLease: true } as const;
    const limits = { daily: { levelMicro: 1, atMs: NOW_MS } };
    const rows: HeldRow[] = [
      { ...A, acquiredAtMs: 1, figures, remembered: [{ ...FAR, acquiredAtMs: 2, figures: { ...figures, limits } }] },
      { ...B, acquiredAtMs: 1, figures: { ...figures, limits } },
    ];
    await write(store, { rows: rows.map((one) => ({ ...one, sessionId: id })) });
    expect((await found(store, id))?.rows).toEqual(rows);
    expect((await store.usage.rowsOf(id)).every((one) => one.figures?.isLease === true)).toBe(true);
  });
}

function gone(opened: Opened): void {
  it("a fleet budget that is taken away leaves the session and its rows", async () => {
    const [store, { id }] = await opened();
    await store.usage.hold(id, A, NOW_MS, ALWAYS);
    const before = await found(store, id);
    await give(store, id, SPENT);
    await give(store, id, null);
    expect(await found(store, id)).toStrictEqual(before);
  });

  it("a session that is removed takes its fleet budget along", async () => {
    const [store, expired] = await opened();
    const [revoked, beside] = [sessionAt(NOW_MS + 5, METERED), sessionAt(NOW_MS + 6, METERED)];
    const all = [expired, revoked, beside];
    for (const session of [revoked, beside]) await store.create(session);
    for (const { id } of all) await give(store, id, SPENT);
    const step = { planId: STARTER.id, untilMs: NOW_MS, after: undefined, limit: 9, isExpired: ALWAYS };
    await store.usage.removeExpired(step);
    await store.revoke(revoked.id, NOW_MS + 7);
    // The walk by which a folder finds what has ended.
    const walk = { planId: METERED.id, untilMs: NOW_MS + 9, after: undefined, limit: 9, atMs: NOW_MS };
    await store.usage.endIdle({ ...walk, isIdle: () => false });
    expect(await store.usage.removeEnded(NOW_MS + 9, 9)).toBe(1);
    const budgets = [{ sessionId: beside.id, budget: budgetWith(1) }];
    await write(store, { sessions: [{ before: beside, after: null }], budgets });
    expect(
      (
        await leased(
          store,
          all.map(({ id }) => id),
        )
      ).found.size,
    ).toBe(0);
    for (const session of all) {
      await store.create(session);
      expect(await found(store, session.id)).toStrictEqual({ session, rows: [] });
    }
  });
}

function decidedOn(opened: Opened): void {
  it("leases of many sessions are found with their rows, at the place that the log has then", async () => {
    const [store, one] = await opened();
    const [other, without, unknown] = [sessionAt(NOW_MS + 1), sessionAt(NOW_MS + 2), sessionAt(NOW_MS + 3)];
    for (const session of [other, without]) await store.create(session);
    const budgets = [one, other].map(({ id: sessionId }, i) => ({ sessionId, budget: budgetWith(i + 1) }));
    await write(store, { budgets });
    await store.usage.hold(one.id, A, NOW_MS, ALWAYS);
    await store.revoke(without.id, NOW_MS + 4);
    const ids = [one, other, without, unknown, one].map(({ id }) => id);
    const { found: all, position } = await leased(store, ids);
    expect([...all.keys()]).toEqual(ids.slice(0, 3));
    expect([...all.values()].map(({ budget }) => microIn(budget))).toEqual([1, 2, 0]);
    expect(all.get(one.id)?.rows).toMatchObject([A]);
    expect([position, position.cursor]).toEqual([await store.position(), 1]);
  });

  it("whoever decides is told the store's fleet clock, and that its life is the first", async () => {
    const [store, { id }] = await opened();
    const { log } = await store.fleetTime.read();
    await store.fleetTime.raise({ log, ms: 777 });
    const life = { beganMs: 0, newestId: "", fleetMs: 777 };
    expect((await leased(store, [id])).life).toStrictEqual(life);
    expect((await store.update("session", id, unchanged)).answer.life).toStrictEqual(life);
    expect((await store.usage.look(id)).life).toStrictEqual(life);
  });

  it("leases that are asked for at once are decided one after the other", async () => {
    const [store, one] = await opened();
    const other = sessionAt(NOW_MS + 1);
    await store.create(other);
    const ids = [one.id, other.id];
    const more = ({ found: all }: Awaited<ReturnType<typeof leased>>) => {
      const budgets = [...all].map(([sessionId, { budget }]) => ({
        sessionId,
        budget: budgetWith(microIn(budget) + 1),
      }));
      return { answer: microIn(all.get(one.id)?.budget), changes: { budgets } };
    };
    const asks = Array.from({ length: 8 }, (_, i) => store.update("leases", i % 2 === 0 ? ids : [one.id], more));
    const answers = (await Promise.all(asks)).map(({ answer }) => answer);
    expect([...answers].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const { found: all } = await leased(store, ids);
    expect(ids.map((id) => microIn(all.get(id)?.budget))).toEqual([8, 4]);
  });

  it("leases that acquires bring with them are decided one after the other", async () => {
    const [store, { id: sessionId }] = await opened();
    const lives = new Set<StoreLife>();
    const asks = Array.from({ length: 8 }, (_, i) =>
      store.update("session", sessionId, ({ found: record, life }) => {
        lives.add(life);
        const micro = microIn(record?.budget);
        // One of them takes the budget away again: who comes next finds none.
        const budget = i === 4 ? null : budgetWith(micro + 1);
        return { answer: micro, changes: { budgets: [{ sessionId, budget }] } };
      }),
    );
    const answers = (await Promise.all(asks)).map(({ answer }) => answer);
    const last = microIn((await found(store, sessionId))?.budget);
    const at = answers[4] ?? 0;
    // Before that one each found one more than the one before it, and after it from none on.
    expect(answers.filter((_, i) => i !== 4).sort()).toEqual([...Array(at).keys(), ...Array(7 - at).keys()].sort());
    expect(last).toBe(7 - at);
    for (const life of lives) expect(life).toMatchObject({ beganMs: 0, newestId: "" });
  });
}

export interface FleetTimeUnderTest {
  readonly one: FleetTime;
  /** As another process has it, or the next one. */
  readonly another: () => Promise<FleetTime>;
}

/** `open` gives an empty store and sees to its end. */
export function fleetTimeContract(open: () => Promise<FleetTimeUnderTest>): void {
  it("the fleet clock of a new store stands at 0", async () => {
    expect((await (await open()).one.read()).ms).toBe(0);
  });

  it("the fleet clock is raised, and never set back", async () => {
    const { one, another } = await open();
    const { log } = await one.read();
    const raised = async (time: FleetTime, ms: number) => (await time.raise({ log, ms })).ms;
    expect(await one.raise({ log, ms: 2_000_000_000_000 })).toStrictEqual({ log, ms: 2_000_000_000_000 });
    for (const lower of [9, 1_999_999_999_999, 2_000_000_000_000, 0])
      expect(await raised(one, lower)).toBe(2_000_000_000_000);
    expect(await one.read()).toStrictEqual({ log, ms: 2_000_000_000_000 });
    const other = await another();
    expect(await raised(other, 10_000_000_000_000)).toBe(10_000_000_000_000);
    expect(await raised(one, 3_000_000_000_000)).toBe(10_000_000_000_000);
    expect((await other.read()).ms).toBe(10_000_000_000_000);
  });

  it("a time of another life of the store does not raise the fleet clock", async () => {
    const { one } = await open();
    const { log } = await one.read();
    await one.raise({ log, ms: 5 });
    expect(await one.raise({ log: "0123456789abcdef", ms: 900 })).toStrictEqual({ log, ms: 5 });
    expect(await one.read()).toStrictEqual({ log, ms: 5 });
  });

  it("of all that raise the fleet clock at once the highest stays", async () => {
    const { one } = await open();
    const { log } = await one.read();
    await Promise.all([5, 900, 70, 1000, 8].map((ms) => one.raise({ log, ms })));
    expect((await one.read()).ms).toBe(1000);
  });

  it("the fleet clock counts whole ms, and takes nothing that is no time", async () => {
    const { one } = await open();
    const { log } = await one.read();
    await one.raise({ log, ms: 7.9 });
    for (const ms of [Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 53]) {
      await expect(one.raise({ log, ms })).rejects.toThrow(RangeError);
    }
    expect((await one.read()).ms).toBe(7);
  });
}
