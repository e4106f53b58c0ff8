// What every store must do, whatever it is made of. An adapter's test calls this with a way to open an empty one.
import { expect, it } from "vitest";

import type { Stores } from "../../src/app/ports/stores.js";
import type { WithVerbs } from "../support/store-verbs.js";
import { HOUR_MS, METERED, sessionAt, STARTER } from "../support/sessions.js";

type Store = WithVerbs<Stores>;

const NOW_MS = Date.UTC(2026, 0, 1);

/** `open` gives an empty store and sees to its end. */
export function storeContract(open: () => Promise<Store>): void {
  it("a session is found exactly as it was created", async () => {
    const store = await open();
    const session = sessionAt(NOW_MS, METERED, "ü✓ user", "o/1");
    await store.create(session);
    expect(await store.find(session.id)).toEqual(session);
  });

  it("an id that never was finds nothing", async () => {
    const store = await open();
    expect(await store.find(sessionAt(NOW_MS).id)).toBeUndefined();
    expect(await store.revoke(sessionAt(NOW_MS).id, NOW_MS)).toBeUndefined();
  });

  it("a session is never replaced by another of the same id", async () => {
    const store = await open();
    const session = sessionAt(NOW_MS);
    await store.create(session);
    await expect(store.create({ ...session, userId: "another" })).rejects.toThrow(session.id);
    expect(await store.find(session.id)).toEqual(session);
  });

  it("one of two creations of the same id wins", async () => {
    const store = await open();
    const session = sessionAt(NOW_MS);
    const outcomes = await Promise.allSettled([store.create(session), store.create(session)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("a session is revoked once: the first time stays, and only it enters the log", async () => {
    const store = await open();
    const session = sessionAt(NOW_MS);
    await store.create(session);
    const revoked = { ...session, revokedAt: NOW_MS + 1 };
    expect(await store.revoke(session.id, NOW_MS + 1)).toEqual({ newly: true, session: revoked });
    const { cursor } = await store.position();
    expect(await store.revoke(session.id, NOW_MS + 2)).toEqual({ newly: false, session: revoked });
    expect(await store.find(session.id)).toEqual(revoked);
    expect((await store.position()).cursor).toBe(cursor);
  });

  it("one of many revocations of a session at once counts as the first", async () => {
    const store = await open();
    const session = sessionAt(NOW_MS);
    await store.create(session);
    const all = await Promise.all(Array.from({ length: 8 }, (_, i) => store.revoke(session.id, NOW_MS + i)));
    expect(all.filter((one) => one?.newly === true)).toHaveLength(1);
  });

  it("the log's cursor grows by one with each revocation, and by nothing else", async () => {
    const store = await open();
    const before = await store.position();
    const sessions = Array.from({ length: 5 }, () => sessionAt(NOW_MS));
    await Promise.all(sessions.map((session) => store.create(session)));
    expect(await store.position()).toEqual(before);
    await Promise.all(sessions.map(({ id }) => store.revoke(id, NOW_MS + 2)));
    expect(await store.position()).toEqual({ log: before.log, cursor: before.cursor + 5 });
  });

  it("live sessions are counted by plan, from a time on, without the revoked ones", async () => {
    const store = await open();
    const old = sessionAt(NOW_MS - HOUR_MS);
    const edge = sessionAt(NOW_MS);
    const young = sessionAt(NOW_MS + 1);
    const revoked = sessionAt(NOW_MS + 2);
    const other = sessionAt(NOW_MS + 3, METERED);
    for (const session of [old, edge, young, revoked, other]) await store.create(session);
    await store.revoke(revoked.id, NOW_MS + 4);
    expect(await store.countLive(STARTER.id, NOW_MS)).toBe(2);
    expect(await store.countLive(STARTER.id, 0)).toBe(3);
    expect(await store.countLive(METERED.id, 0)).toBe(1);
    expect(await store.countLive(6, 0)).toBe(0);
    expect(await store.countLive(STARTER.id, -1)).toBe(3);
  });
}
