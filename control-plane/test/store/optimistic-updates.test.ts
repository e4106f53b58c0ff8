// Updates of an engine that does not lock: whoever was first wins, and the other one decides anew or gives up.
import { describe, expect, it } from "vitest";

import { MAX_TRIES, UpdateConflict } from "../../src/app/ports/update-ports.js";
import { decideRevocation } from "../../src/domain/decisions/revoke-sessions.js";
import { MemoryStore } from "../../src/store/memory/store.js";
import { METERED, sessionAt, STARTER } from "../support/sessions.js";
import { A, ALWAYS, FAR, NO_BUDGETS, NOW_MS, row } from "../support/store-with-usage.js";
import { withVerbs } from "../support/store-verbs.js";

const BUDGET = 100;
const consumption = (count: number) => ({
  ...{ count, key: null, keptSinceMs: 0, atMs: NOW_MS, budgets: new Map([[METERED.id, BUDGET]]), isLive: ALWAYS },
});

async function opened() {
  const store = withVerbs(new MemoryStore());
  const session = sessionAt(NOW_MS, METERED);
  await store.create(session);
  return { store, session, ...interruptions(store) };
}

/** Has other writes come between the loads and the commits of the first update from now on. */
function interruptions(store: MemoryStore) {
  const interrupt = (times: number, write: () => Promise<unknown>) => {
    let left = times;
    let isWriting = false;
    store.betweenLoadAndCommit = async () => {
      if (isWriting || left === 0) return;
      left -= 1;
      isWriting = true;
      await write();
      isWriting = false;
    };
  };
  return { interrupt };
}

describe("an update that another write comes in between", () => {
  it("an update that another write came before decides anew on what that has written", async () => {
    const { store, session, interrupt } = await opened();
    interrupt(1, () => store.usage.consume(session.id, consumption(60)));
    const outcome = await store.usage.consume(session.id, consumption(41));
    expect(outcome).toEqual({ outcome: "overBudget", budget: BUDGET, consumed: 60 });
  });

  it("two consumptions that meet are both taken where there is room for both", async () => {
    const { store, session, interrupt } = await opened();
    interrupt(3, () => store.usage.consume(session.id, consumption(10)));
    expect(await store.usage.consume(session.id, consumption(5))).toMatchObject({ consumed: 35 });
    expect((await store.find(session.id))?.tokens.consumed).toBe(35);
  });

  it("an acquire that a revocation comes before finds the session revoked", async () => {
    const { store, session, interrupt } = await opened();
    interrupt(1, () => store.revoke(session.id, NOW_MS + 1));
    const held = await store.usage.hold(session.id, A, NOW_MS + 2, ALWAYS);
    expect(held).toMatchObject({ held: false, session: { revokedAt: NOW_MS + 1 }, position: { cursor: 1 } });
    expect(await store.usage.rowsOf(session.id)).toEqual([]);
  });

  it("a sweep that an acquire comes before leaves the session to who acquired it", async () => {
    const { store, session, interrupt } = await opened();
    interrupt(1, () => store.usage.hold(session.id, A, NOW_MS + 9, ALWAYS));
    const isIdle = ({ lastActivity }: typeof session) => lastActivity === NOW_MS;
    const page = { planId: METERED.id, untilMs: NOW_MS, after: undefined, limit: 9 };
    const step = await store.usage.endIdle({ ...page, atMs: NOW_MS, isIdle });
    expect(step.sessions).toEqual([]);
    expect((await store.find(session.id))?.idleEndedAt).toBeUndefined();
  });

  it("two reports that meet each count once what their instance spent", async () => {
    const { store, session, interrupt } = await opened();
    interrupt(1, () => store.usage.report([row(session.id, 1, 7, FAR)], NO_BUDGETS));
    await store.usage.report([row(session.id, 1, 5)], NO_BUDGETS);
    expect((await store.find(session.id))?.tokens.consumed).toBe(12);
  });

  it("two creations that meet keep to the user's limit", async () => {
    const { store, interrupt } = await opened();
    const limit = { maxSessions: 1, onMaxSessions: "refuse" } as const;
    interrupt(1, () => store.create(sessionAt(NOW_MS, STARTER)));
    const creation = { session: sessionAt(NOW_MS, STARTER), limit, repeatable: null, isLive: ALWAYS };
    expect((await store.operator.issue(creation)).outcome).toBe("tooManySessions");
  });

  it("a bulk revocation includes the session that was created while it began", async () => {
    const { store, interrupt } = await opened();
    const created = sessionAt(NOW_MS + 5);
    interrupt(1, () => store.create(created));
    await store.revocations.begin("r", { userId: "u1" }, NOW_MS + 9);
    await store.revocations.expand("r", 9, NOW_MS + 10);
    expect((await store.find(created.id))?.revokedAt).toBe(NOW_MS + 10);
  });

  it("a write of another session makes no update decide anew", async () => {
    const { store, session, interrupt } = await opened();
    const other = sessionAt(NOW_MS);
    await store.create(other);
    let decisions = 0;
    interrupt(1, () => store.revoke(other.id, NOW_MS));
    await store.update("session", session.id, ({ found }) => {
      decisions += 1;
      return decideRevocation(found?.session, NOW_MS + 1, undefined);
    });
    expect(decisions).toBe(1);
  });
});

describe("an update that others are before each time", () => {
  it("an update that others are before 16 times gives up and writes nothing", async () => {
    const { store, session, interrupt } = await opened();
    let writes = 0;
    interrupt(Infinity, () => store.usage.report([row(session.id, ++writes, writes)], NO_BUDGETS));
    await expect(store.revoke(session.id, NOW_MS)).rejects.toThrow(UpdateConflict);
    expect(writes).toBe(MAX_TRIES);
    expect((await store.find(session.id))?.revokedAt).toBeNull();
    expect((await store.position()).cursor).toBe(0);
  });

  it("an update may succeed with its last try", async () => {
    const { store, session, interrupt } = await opened();
    let writes = 0;
    interrupt(MAX_TRIES - 1, () => store.usage.report([row(session.id, ++writes, writes)], NO_BUDGETS));
    expect(await store.revoke(session.id, NOW_MS)).toMatchObject({ newly: true });
  });
});
