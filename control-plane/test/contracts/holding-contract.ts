// What every store must do when an instance acquires a session. An adapter's test calls this with a way to open one.
import { expect, it } from "vitest";

import { unchanged } from "../../src/domain/changes.js";
import { decideAcquire } from "../../src/domain/decisions/acquire-session.js";
import type { ReportedRow } from "../../src/domain/decisions/reported-rows.js";
import type { Instance } from "../../src/domain/stored.js";
import type { Session } from "../../src/domain/session.js";
import { METERED, sessionAt } from "../support/sessions.js";
import { A, ALWAYS, FAR, NO_BUDGETS, NOW_MS, row, withSession } from "../support/store-with-usage.js";
import type { Opened, StoreWithUsage } from "../support/store-with-usage.js";

/** `open` gives an empty store and sees to its end. */
export function holdingContract(open: () => Promise<StoreWithUsage>): void {
  const opened = withSession(open);
  whoHolds(opened);
  activity(opened);
  withRows(opened);
}

function whoHolds(opened: Opened): void {
  it("a store remembers who acquired a session, before and after its first report", async () => {
    const [store, { id }] = await opened();
    expect(await store.usage.hold(id, A, NOW_MS, ALWAYS)).toMatchObject({ held: true, rows: [] });
    expect(await store.usage.rowsOf(id)).toEqual([{ ...A, figures: null }]);
    const figures = { rev: 1, consumed: 2, levelMicro: 1, atMs: NOW_MS + 1, reportedAtMs: NOW_MS + 1 };
    await store.usage.report([{ sessionId: id, ...A, ...figures }], NO_BUDGETS);
    await store.usage.hold(id, A, NOW_MS + 1, ALWAYS);
    expect((await store.usage.hold(id, FAR, NOW_MS + 1, ALWAYS)).rows).toMatchObject([{ ...A, figures }]);
    expect(await store.usage.rowsOf(id)).toEqual([
      { ...A, figures },
      { ...FAR, figures: null },
    ]);
  });

  it("what a later version stored beside a row is there after an acquire and a report", async () => {
    const [store, { id }] = await opened();
    const later = { sessionId: id, ...A, acquiredAtMs: NOW_MS, figures: null, later: { is: "kept" } };
    await store.update("session", id, () => ({ answer: null, changes: { rows: [later] } }));
    await store.usage.hold(id, A, NOW_MS + 1, ALWAYS);
    await store.usage.report([row(id, 1, 2)], NO_BUDGETS);
    const { answer } = await store.update("session", id, ({ found }) => unchanged(found?.rows));
    expect(answer).toMatchObject([{ ...A, acquiredAtMs: NOW_MS + 1, figures: { consumed: 2 }, later: { is: "kept" } }]);
  });

  it("an acquire that the caller denies notes nothing, and shows session and holders", async () => {
    const [store, session] = await opened();
    const held = { ...session, lastActivity: NOW_MS + 3 };
    await store.usage.hold(session.id, FAR, NOW_MS + 3, ALWAYS);
    const asked: [Session, readonly Instance[]][] = [];
    const never = (one: Session, holders: readonly Instance[]) => {
      asked.push([one, holders]);
      return false;
    };
    const answer = await store.usage.hold(session.id, A, NOW_MS + 9, never);
    expect(answer).toMatchObject({ held: false, session: held, rows: [{ ...FAR, figures: null }] });
    expect(asked).toMatchObject([[held, [FAR]]]);
    expect(await store.usage.rowsOf(session.id)).toHaveLength(1);
    expect(await store.find(session.id)).toEqual(held);
  });

  it("an acquire of a revoked session, or of one that never was, notes nothing", async () => {
    const [store, session] = await opened();
    await store.revoke(session.id, NOW_MS + 1);
    const revoked = { ...session, revokedAt: NOW_MS + 1 };
    const answer = { held: false, session: revoked, rows: [], position: await store.position() };
    expect(await store.usage.hold(session.id, A, NOW_MS + 9, ALWAYS)).toEqual(answer);
    expect(await store.find(session.id)).toEqual(revoked);
    const nothing = { ...answer, session: undefined };
    expect(await store.usage.hold(sessionAt(NOW_MS).id, A, NOW_MS, ALWAYS)).toEqual(nothing);
  });
}

function activity(opened: Opened): void {
  it("an acquire sets the session's activity forward and never back", async () => {
    const [store, session] = await opened();
    const active = { ...session, lastActivity: NOW_MS + 10 };
    expect((await store.usage.hold(session.id, A, NOW_MS + 10, ALWAYS)).session).toEqual(active);
    for (const one of [A, FAR]) {
      expect((await store.usage.hold(session.id, one, NOW_MS + 5, ALWAYS)).session).toEqual(active);
    }
    expect(await store.find(session.id)).toEqual(active);
  });

  it("a session's activity is the later of its acquire and its last admitted request", async () => {
    const [store, { id }] = await opened();
    const report = (rev: number, atMs: number) =>
      store.usage.report(
        [{ sessionId: id, ...A, rev, consumed: rev, levelMicro: 1, atMs, reportedAtMs: atMs }],
        NO_BUDGETS,
      );
    await store.usage.hold(id, A, NOW_MS + 10, ALWAYS);
    await report(1, NOW_MS + 5);
    expect((await store.find(id))?.lastActivity).toBe(NOW_MS + 10);
    await report(2, NOW_MS + 20);
    expect((await store.find(id))?.lastActivity).toBe(NOW_MS + 20);
    await store.usage.hold(id, A, NOW_MS + 30, ALWAYS);
    expect((await store.find(id))?.lastActivity).toBe(NOW_MS + 30);
  });

  it("an acquire's activity shows wherever the session is shown", async () => {
    const [store, session] = await opened();
    await store.usage.hold(session.id, FAR, NOW_MS + 4, ALWAYS);
    const at: number[] = [];
    const isIdle = ({ lastActivity }: Session) => {
      at.push(lastActivity);
      return false;
    };
    expect((await store.usage.endIfIdle(session.id, NOW_MS + 9, isIdle))?.session.lastActivity).toBe(NOW_MS + 4);
    expect(at).toEqual([NOW_MS + 4]);
  });

  it("a revocation that an acquire overtakes is kept, and the log is left alone", async () => {
    const [store, { id }] = await opened();
    const { cursor } = await store.position();
    await Promise.all([store.revoke(id, NOW_MS + 1), store.usage.hold(id, A, NOW_MS + 2, ALWAYS)]);
    expect((await store.find(id))?.revokedAt).toBe(NOW_MS + 1);
    expect((await store.position()).cursor).toBe(cursor + 1);
  });
}

const hold = () => "hold" as const;

function withRows(opened: Opened): void {
  it("an acquire with rows is one update: it counts them, and holds the session by them", async () => {
    const [store, { id }] = await opened(METERED);
    const budgets = new Map([[METERED.id, 5]]);
    const acquire = (rows: readonly ReportedRow[]) =>
      store.update("session", id, (state) => decideAcquire(state, { asker: A, atMs: NOW_MS + 9, rows, budgets }, hold));
    const limits = { daily: { levelMicro: 5, atMs: NOW_MS + 1 } };
    const { answer } = await acquire([row(id, 2, 5, { limits })]);
    expect(answer).toMatchObject({ outcome: "held", session: { tokens: { consumed: 5 }, lastActivity: NOW_MS + 9 } });
    expect(answer.rows).toMatchObject([{ ...A, figures: { rev: 2, limits } }]);
    expect((await store.usage.look(id)).found?.rows).toMatchObject([{ ...A, acquiredAtMs: NOW_MS + 9 }]);
    expect((await acquire([row(id, 2, 5, { limits: {} })])).answer.reported).toMatchObject({ consumed: 0 });
    expect(await store.find(id)).toMatchObject({ tokens: { consumed: 5 }, announcedBudget: 5 });
    expect((await store.position()).cursor).toBe(1);
  });

  it("an acquire whose row is of a session that is over counts it, and holds nothing", async () => {
    const [store, { id }] = await opened();
    const over = { asker: A, atMs: NOW_MS + 9, rows: [row(id, 2, 5)], budgets: NO_BUDGETS };
    for (const choice of ["unsure", "end"] as const) {
      const { answer } = await store.update("session", id, (state) => decideAcquire(state, over, () => choice));
      expect(answer.outcome).toBe(choice === "end" ? "ended" : "unsure");
      const [consumed, ended] = choice === "end" ? [5, { idleEndedAt: NOW_MS + 9 }] : [0, {}];
      expect(await store.find(id)).toMatchObject({ tokens: { consumed }, ...ended });
    }
    await store.update("session", id, (state) => decideAcquire(state, { ...over, rows: [row(id, 3, 7)] }, hold));
    expect(await store.find(id)).toMatchObject({ tokens: { consumed: 7 }, idleEndedAt: NOW_MS + 9 });
    expect((await store.usage.look(id)).found?.rows).toMatchObject([{ ...A, acquiredAtMs: 0, figures: { rev: 3 } }]);
  });
}
