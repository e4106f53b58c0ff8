// What every store must do with revocations of all sessions of a user or an organisation.
import { expect, it } from "vitest";

import type { Stores } from "../../src/app/ports/stores.js";
import { METERED, sessionAt, STARTER } from "../support/sessions.js";
import type { WithVerbs } from "../support/store-verbs.js";

type Open = () => Promise<WithVerbs<Stores>>;

const NOW_MS = Date.UTC(2026, 0, 1);
const [ID, LATER] = ["0192f0c1-0000-7000-8000-000000000000", "0192f0c2-0000-7000-8000-000000000000"];
const ofUser = { userId: "u1" };

/** `open` gives an empty store and sees to its end. */
export function revocationContract(open: Open): void {
  chunks(open);
  bookkeeping(open);
}

async function withSessions(open: Open, count: number) {
  const store = await open();
  const sessions = Array.from({ length: count }, (_, i) => sessionAt(NOW_MS + i));
  for (const session of sessions) await store.create(session);
  return { store, sessions };
}

function chunks(open: Open): void {
  it("a bulk revocation goes through all sessions of the user in chunks, the oldest first", async () => {
    const { store, sessions } = await withSessions(open, 3);
    const other = sessionAt(NOW_MS, METERED, "u2");
    await store.create(other);
    expect(await store.revocations.begin(ID, ofUser, NOW_MS + 10)).toMatchObject({ examined: 0, finishedAt: null });
    const first = await store.revocations.expand(ID, 2, NOW_MS + 11);
    expect(first).toMatchObject({ revoked: sessions.slice(0, 2), operation: { examined: 2, finishedAt: null } });
    const { log } = await store.position();
    expect(await store.revocations.find(ID)).toMatchObject({ revoked: 2, log, cursor: 2 });
    const second = await store.revocations.expand(ID, 2, NOW_MS + 12);
    expect(second).toMatchObject({ revoked: sessions.slice(2), operation: { examined: 3, finishedAt: NOW_MS + 12 } });
    const finishedAt = NOW_MS + 12;
    expect(await store.revocations.find(ID)).toMatchObject({ revoked: 3, log, cursor: 3, finishedAt });
    expect(await store.countLive(STARTER.id, 0)).toBe(0);
    expect((await store.find(other.id))?.revokedAt).toBeNull();
  });

  it("a bulk revocation of an organisation spares others, and counts what was revoked before", async () => {
    const { store, sessions } = await withSessions(open, 2);
    await store.create(sessionAt(NOW_MS, STARTER, "u1", "o2"));
    await store.revoke(sessions[0]?.id ?? "", NOW_MS + 1);
    await store.revocations.begin(ID, { orgId: "o1" }, NOW_MS + 10);
    await store.revocations.expand(ID, 9, NOW_MS + 11);
    expect(await store.revocations.find(ID)).toMatchObject({ examined: 2, revoked: 1 });
    expect(await store.countLive(STARTER.id, 0)).toBe(1);
  });

  it("a session that is created after a bulk revocation began is spared, whatever clocks say", async () => {
    const { store } = await withSessions(open, 1);
    await store.revocations.begin(ID, ofUser, NOW_MS + 10);
    const later = sessionAt(NOW_MS + 5);
    await store.create(later);
    await store.revocations.expand(ID, 9, NOW_MS + 11);
    expect((await store.find(later.id))?.revokedAt).toBeNull();
  });

  it("a bulk revocation whose newest session is removed meanwhile ends with an empty chunk", async () => {
    const { store, sessions } = await withSessions(open, 2);
    await store.revocations.begin(ID, ofUser, NOW_MS + 10);
    const isExpired = ({ id }: { readonly id: string }): boolean => id === sessions[1]?.id;
    const page = { planId: STARTER.id, untilMs: NOW_MS + 9, after: undefined, limit: 9, isExpired };
    await store.usage.removeExpired(page);
    expect(await store.revocations.expand(ID, 9, NOW_MS + 11)).toMatchObject({ operation: { finishedAt: null } });
    const last = await store.revocations.expand(ID, 9, NOW_MS + 12);
    expect(last).toMatchObject({ revoked: [], operation: { examined: 1, revoked: 1, finishedAt: NOW_MS + 12 } });
  });

  it("a chunk of a bulk revocation that is finished, or that never was, revokes nothing", async () => {
    const { store } = await withSessions(open, 1);
    await store.revocations.begin(ID, ofUser, NOW_MS + 10);
    await store.revocations.expand(ID, 9, NOW_MS + 11);
    expect(await store.revocations.expand(ID, 9, NOW_MS + 12)).toMatchObject({ revoked: [] });
    expect(await store.revocations.expand(LATER, 9, NOW_MS + 12)).toBeUndefined();
    expect((await store.position()).cursor).toBe(1);
  });
}

function bookkeeping(open: Open): void {
  it("a bulk revocation of nobody's sessions is finished at once", async () => {
    const store = await open();
    await store.revocations.begin(ID, ofUser, NOW_MS);
    expect(await store.revocations.find(ID)).toEqual({
      ...{ id: ID, filter: ofUser, createdAt: NOW_MS, examined: 0, revoked: 0, finishedAt: NOW_MS },
      ...(await store.position()),
    });
  });

  it("unfinished bulk revocations are listed, the oldest first", async () => {
    const { store } = await withSessions(open, 1);
    await store.revocations.begin(LATER, { orgId: "o1" }, NOW_MS + 1);
    await store.revocations.begin(ID, ofUser, NOW_MS);
    expect(await store.revocations.unfinished()).toEqual([ID, LATER]);
    await store.revocations.expand(ID, 9, NOW_MS + 2);
    expect(await store.revocations.unfinished()).toEqual([LATER]);
  });

  it("only finished bulk revocations are forgotten", async () => {
    const { store } = await withSessions(open, 1);
    const everMs = Date.UTC(2100, 0, 1);
    await store.revocations.begin(ID, ofUser, NOW_MS);
    expect(await store.revocations.forgetFinished(everMs, 9)).toBe(0);
    await store.revocations.expand(ID, 9, NOW_MS + 1);
    expect(await store.revocations.forgetFinished(0, 9)).toBe(0);
    expect(await store.revocations.forgetFinished(everMs, 9)).toBe(1);
    expect(await store.revocations.find(ID)).toBeUndefined();
  });
}
