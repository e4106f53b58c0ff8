// What every store must do with the rows of a session that many instances hold. An adapter's test calls this.
import { expect, it } from "vitest";

import { decideAcquire } from "../../src/domain/decisions/acquire-session.js";
import { FORMER, MAX_REMEMBERED, MAX_ROWS_A_SESSION } from "../../src/domain/former-rows.js";
import type { Instance } from "../../src/domain/stored.js";
import { A, ALWAYS, B, FAR, NO_BUDGETS, NOW_MS, row, withSession } from "../support/store-with-usage.js";
import type { Opened, StoreWithUsage } from "../support/store-with-usage.js";

const count = (length: number, from = 0): Instance[] => Array.from({ length }, (_, i) => instance(i + from));
const instance = (i: number, edge = `made-up-${i}`): Instance => ({ edge, instance: i.toString(16).padStart(16, "0") });

/** A thousand updates of a session with as many rows: a busy machine takes its time. */
const SLOW_MS = 120_000;

/** As an operator sees them: those that are remembered as well. */
const MOST = MAX_ROWS_A_SESSION + MAX_REMEMBERED;
/** Reports one token of each, in a few commits; later ones later. */
async function reportEach(store: StoreWithUsage, id: string, those: readonly Instance[], rev = 1): Promise<void> {
  for (let start = 0; start < those.length; start += 256) {
    const rows = those.slice(start, start + 256).map((of, i) => {
      return row(id, rev, 1, { ...of, reportedAtMs: NOW_MS + 1000 + start + i });
    });
    await store.usage.report(rows, NO_BUDGETS);
  }
}

const consumedOf = async (store: StoreWithUsage, id: string): Promise<number | undefined> =>
  (await store.find(id))?.tokens.consumed;

/** What the rows add up to. */
async function sumOf(store: StoreWithUsage, id: string): Promise<number> {
  const rows = await store.usage.rowsOf(id);
  return rows.reduce((sum, { figures }) => sum + (figures?.consumed ?? 0), 0);
}

/** `open` gives an empty store and sees to its end. */
export function formerRowsContract(open: () => Promise<StoreWithUsage>): void {
  const opened = withSession(open);
  bound(opened);
  comingBack(opened);
}

function bound(opened: Opened): void {
  it("a session has a bounded number of rows, and its consumption stays the exact sum", async () => {
    const [store, { id }] = await opened();
    await reportEach(store, id, count(MAX_ROWS_A_SESSION - 1));
    expect(await store.usage.rowsOf(id)).not.toContainEqual(expect.objectContaining(FORMER));
    await reportEach(store, id, count(1500, 5000));
    expect((await store.usage.rowsOf(id)).length).toBeLessThanOrEqual(MOST);
    expect(await consumedOf(store, id)).toBe(MAX_ROWS_A_SESSION - 1 + 1500);
    expect(await sumOf(store, id)).toBe(MAX_ROWS_A_SESSION - 1 + 1500);
  });

  it("instances that acquire a session and never report are bounded as well", async () => {
    const [store, { id }] = await opened();
    await store.usage.report([row(id, 1, 7, FAR)], NO_BUDGETS);
    for (let i = 0; i < MAX_ROWS_A_SESSION + 10; i++) {
      await store.usage.hold(id, instance(i), NOW_MS + 10_000 + i, ALWAYS);
    }
    expect((await store.usage.rowsOf(id)).length).toBeLessThanOrEqual(MOST);
    expect([await consumedOf(store, id), await sumOf(store, id)]).toEqual([7, 7]);
    expect((await store.find(id))?.lastActivity).toBe(NOW_MS + 10_000 + MAX_ROWS_A_SESSION + 9);
  });

  it(
    "former lives of a restarting edge make room first: every edge's last figures stay",
    async () => {
      const [store, { id }] = await opened();
      await store.usage.hold(id, FAR, NOW_MS, ALWAYS);
      await store.usage.report([row(id, 1, 5, { ...FAR, levelMicro: 77 })], NO_BUDGETS);
      const lives = Array.from({ length: MOST + 50 }, (_, i) => instance(i, "gw-1"));
      for (const [i, life] of lives.entries()) await store.usage.hold(id, life, NOW_MS + 1 + i, ALWAYS);
      const { found } = await store.usage.look(id);
      const rows = found?.rows ?? [];
      expect(rows.length).toBeLessThanOrEqual(MAX_ROWS_A_SESSION);
      expect(rows.find(({ edge }) => edge === FAR.edge)).toMatchObject({ ...FAR, figures: { levelMicro: 77 } });
      expect(rows).toContainEqual(expect.objectContaining(lives.at(-1)));
      expect(rows).not.toContainEqual(expect.objectContaining(lives[0]));
    },
    SLOW_MS,
  );

  it("an instance that goes on reporting keeps its row, whatever others come", async () => {
    const [store, { id }] = await opened();
    for (let round = 1; round <= 8; round++) {
      await store.usage.report([row(id, round, round, { ...A, reportedAtMs: NOW_MS + 99_999 })], NO_BUDGETS);
      await reportEach(store, id, count(256, round * 1000));
    }
    expect(await store.usage.rowsOf(id)).toContainEqual(expect.objectContaining(A));
    expect(await consumedOf(store, id)).toBe(8 + 8 * 256);
    await store.usage.report([row(id, 8, 8, A), row(id, 7, 7, A)], NO_BUDGETS);
    expect(await consumedOf(store, id)).toBe(8 + 8 * 256);
  });
}

function comingBack(opened: Opened): void {
  const FLOOD = 3000;
  /** With the row of A merged, which had reported 10 tokens. */
  async function merged(): Promise<[StoreWithUsage, string, number]> {
    const [store, { id }] = await opened();
    await store.usage.report([row(id, 9, 10, A)], NO_BUDGETS);
    await reportEach(store, id, count(FLOOD));
    const { found } = await store.usage.look(id);
    expect(found?.rows).not.toContainEqual(expect.objectContaining(A));
    return [store, id, 10 + FLOOD];
  }

  it("an instance that reports again after its row was merged counts nothing twice", async () => {
    const [store, id, before] = await merged();
    // As often as its worker sends it, also late and out of order.
    for (const rev of [9, 9, 8]) await store.usage.report([row(id, rev, 10, A)], NO_BUDGETS);
    expect([await consumedOf(store, id), await sumOf(store, id)]).toEqual([before, before]);
    await store.usage.report([row(id, 10, 14, A)], NO_BUDGETS);
    expect([await consumedOf(store, id), await sumOf(store, id)]).toEqual([before + 4, before + 4]);
    expect((await store.usage.look(id)).found?.rows.length).toBeLessThanOrEqual(MAX_ROWS_A_SESSION);
  });

  it("an instance that acquires after its row was merged goes on from its own figures", async () => {
    const [store, id, before] = await merged();
    const { rows } = await store.usage.hold(id, A, NOW_MS + 90_000, ALWAYS);
    expect(rows.find(({ edge }) => edge === A.edge)).toMatchObject({ ...A, figures: { rev: 9, consumed: 10 } });
    await store.usage.report([row(id, 10, 13, A)], NO_BUDGETS);
    expect([await consumedOf(store, id), await sumOf(store, id)]).toEqual([before + 3, before + 3]);
  });

  it("an instance whose row was merged has its levels of further limits when it is back", async () => {
    const [store, { id }] = await opened();
    const [daily, search] = [
      { levelMicro: 5, atMs: NOW_MS },
      { levelMicro: -6, atMs: NOW_MS },
    ];
    await store.usage.report([row(id, 9, 10, { ...A, limits: { daily, search } })], NO_BUDGETS);
    await reportEach(store, id, count(FLOOD));
    const { rows } = await store.usage.hold(id, A, NOW_MS + 90_000, ALWAYS);
    expect(rows.find(({ edge }) => edge === A.edge)).toMatchObject({ figures: { limits: { daily, search } } });
    await store.usage.report([row(id, 10, 11, { ...A, limits: { daily: search } })], NO_BUDGETS);
    const own = (await store.usage.rowsOf(id)).find(({ edge }) => edge === A.edge);
    expect(own?.figures?.limits).toEqual({ daily: search, search });
  });

  it("an acquire with a row of an instance that has none keeps the bound, and counts it", async () => {
    const [store, { id }] = await opened();
    await reportEach(store, id, count(FLOOD));
    const said = { asker: A, atMs: NOW_MS + 90_000, rows: [row(id, 3, 4, A)], budgets: NO_BUDGETS };
    await store.update("session", id, (state) => decideAcquire(state, said, () => "hold"));
    const { found } = await store.usage.look(id);
    expect(found?.rows.length).toBeLessThanOrEqual(MAX_ROWS_A_SESSION);
    const own = found?.rows.find(({ edge }) => edge === A.edge);
    expect(own).toMatchObject({ ...A, acquiredAtMs: NOW_MS + 90_000, figures: { rev: 3, consumed: 4 } });
    expect([await consumedOf(store, id), await sumOf(store, id)]).toEqual([FLOOD + 4, FLOOD + 4]);
  });

  it("an instance that acquired a session stays, whatever number of others only report", async () => {
    const [store, { id }] = await opened();
    await store.usage.hold(id, A, NOW_MS, ALWAYS);
    await reportEach(store, id, count(FLOOD));
    expect((await store.usage.look(id)).found?.rows).toContainEqual(expect.objectContaining(A));
  });

  it("a new instance of an honest edge counts in full beside rows that were merged", async () => {
    const [store, id, before] = await merged();
    await store.usage.hold(id, B, NOW_MS + 90_000, ALWAYS);
    await store.usage.report([row(id, 5, 6, B)], NO_BUDGETS);
    expect(await consumedOf(store, id)).toBe(before + 6);
  });
}
