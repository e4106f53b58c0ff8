// What every store must do with sessions that are idle or over. An adapter's test calls this with a way to open one.
import { expect, it } from "vitest";

import type { Session } from "../../src/domain/session.js";
import { HOUR_MS, METERED, sessionAt, STARTER } from "../support/sessions.js";
import { A, ALWAYS, FAR, NO_BUDGETS, NOW_MS, row, withSession } from "../support/store-with-usage.js";
import type { Opened, StoreWithUsage } from "../support/store-with-usage.js";

/** `open` gives an empty store and sees to its end. */
export function endingContract(open: () => Promise<StoreWithUsage>): void {
  const opened = withSession(open);
  idleEnds(opened);
  removals(opened);
}

const idleStep = (more: object = {}) => {
  return { planId: STARTER.id, untilMs: NOW_MS, after: undefined, limit: 10, atMs: NOW_MS, isIdle: ALWAYS, ...more };
};

function idleEnds(opened: Opened): void {
  it("idle sessions end for good, are named once, and are kept", async () => {
    const [store, session] = await opened();
    const ended = { ...session, idleEndedAt: NOW_MS };
    expect(await store.usage.endIdle(idleStep())).toEqual({ sessions: [ended], next: undefined });
    expect((await store.usage.endIdle(idleStep())).sessions).toEqual([]);
    expect(await store.find(session.id)).toEqual(ended);
    const asked = await store.usage.hold(session.id, A, NOW_MS + 1, ALWAYS);
    expect(asked).toMatchObject({ held: false, session: ended, rows: [] });
    expect(await store.countLive(STARTER.id, 0)).toBe(0);
    expect((await store.position()).cursor).toBe(0);
  });

  it("sessions up to a time are examined in steps, with those who hold them", async () => {
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

  it("a session is found at its last activity, also one that was indexed before", async () => {
    const [store, session] = await opened();
    await store.usage.hold(session.id, A, NOW_MS + 50, ALWAYS);
    for (const untilMs of [NOW_MS, NOW_MS + 49]) {
      expect((await store.usage.endIdle(idleStep({ untilMs }))).sessions).toEqual([]);
    }
    expect((await store.usage.endIdle(idleStep({ untilMs: NOW_MS + 50 }))).sessions).toHaveLength(1);
  });

  it("one session ends if it is idle as it then is", async () => {
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
  it("expired sessions are removed with all that belongs to them, the oldest first", async () => {
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

  it("removals go on in steps, past sessions that are to stay", async () => {
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

  it("sessions with many rows are removed in as many steps as they need", async () => {
    const [store, { id }] = await opened();
    const second = sessionAt(NOW_MS + 1);
    await store.create(second);
    for (const one of [id, second.id]) {
      const rows = Array.from({ length: 600 }, (_, i) => row(one, 1, 1, { edge: `gw-${i}`, atMs: NOW_MS }));
      await store.usage.report(rows, NO_BUDGETS);
    }
    let [ended, removed] = [0, 0];
    let cursor: readonly [number, string] | undefined;
    do {
      const step = await store.usage.endIdle(idleStep({ untilMs: NOW_MS + 9, after: cursor }));
      ended += step.sessions.length;
      cursor = step.next;
    } while (cursor !== undefined);
    for (let more = -1; more !== 0; removed += more) more = await store.usage.removeEnded(NOW_MS + 9, 10);
    expect([ended, removed, await store.find(id), await store.find(second.id)]).toEqual([2, 2, undefined, undefined]);
  });

  it("sessions that ended for good are kept until they are old enough, and then removed", async () => {
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
