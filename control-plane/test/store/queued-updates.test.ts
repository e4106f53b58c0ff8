// The queue in front of a store that does not lock: what waits for what, what is committed together, and who is turned away.
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { StoreUnwritable } from "../../src/app/ports/store-health.js";
import { MAX_TRIES } from "../../src/app/ports/update-ports.js";
import type { Loads, Updates } from "../../src/app/ports/update-ports.js";
import { unchanged } from "../../src/domain/changes.js";
import { decideCreation } from "../../src/domain/decisions/create-session.js";
import { decideHold } from "../../src/domain/decisions/hold-session.js";
import type { Held } from "../../src/domain/decisions/hold-session.js";
import { decideReport } from "../../src/domain/decisions/report-usage.js";
import { decideBulkRevocation, decideChunk, decideRevocation } from "../../src/domain/decisions/revoke-sessions.js";
import type { Session } from "../../src/domain/session.js";
import { budgetWith, microIn } from "../support/fleet-budgets.js";
import { sessionAt } from "../support/sessions.js";
import { A, ALWAYS, B, FAR, NO_BUDGETS, NOW_MS, row } from "../support/store-with-usage.js";
import { asked, inOrder, ProcessesOverOneStore } from "../support/processes-over-one-store.js";
import type { Asked } from "../support/processes-over-one-store.js";

const BULK = "0192f0c1-0000-7000-8000-000000000000";

const acquire = (id: string, asker = A, atMs = NOW_MS + 1): Asked =>
  asked("session", id, (state) =>
    decideHold(state, asker, atMs, ({ revokedAt }) => (revokedAt === null ? "hold" : "over")),
  );
const revoke = (id: string): Asked =>
  asked("session", id, ({ found }) => decideRevocation(found?.session, NOW_MS + 5, undefined));
const report = (ids: readonly string[], rev: number): Asked => {
  const rows = ids.map((id) => row(id, rev, rev));
  return asked("report", rows, (found) => decideReport(found, rows, NO_BUDGETS));
};
/** One more of each budget. */
const lease = (ids: readonly string[]): Asked =>
  asked("leases", ids, ({ found, position }) => ({
    answer: { micro: [...found.values()].map(({ budget }) => microIn(budget)), cursor: position.cursor },
    changes: {
      budgets: [...found].map(([sessionId, { budget }]) => ({ sessionId, budget: budgetWith(microIn(budget) + 1) })),
    },
  }));
const acquireLease = (sessionId: string): Asked =>
  asked("session", sessionId, ({ found }) => ({
    answer: microIn(found?.budget),
    changes: { budgets: [{ sessionId, budget: budgetWith(microIn(found?.budget) + 1) }] },
  }));
const failing = (id: string): Asked =>
  asked("session", id, () => {
    throw new Error("a decision that cannot be made");
  });

async function opened(count = 1) {
  const store = new ProcessesOverOneStore();
  const sessions = Array.from({ length: count }, (_, index) => sessionAt(NOW_MS + index));
  for (const session of sessions) await create(inOrder(store.engine), session);
  const ids = sessions.map(({ id }) => id);
  /** All asked for at once. */
  const settle = async (updates: Updates, all: readonly Asked[]) => {
    const settled = Promise.allSettled(all.map((one) => store.ask(updates, one)));
    await store.run();
    return settled;
  };
  return { store, ids, id: ids[0] ?? "", settle };
}

async function create(updates: Updates, session: Session): Promise<void> {
  const wanted = { sessionId: session.id, key: null, peers: null };
  const creation = { session, limit: null, repeatable: null, isLive: ALWAYS };
  await updates.update("creation", wanted, (state) => decideCreation(state, creation));
}

const answers = (settled: readonly PromiseSettledResult<unknown>[]): unknown[] =>
  settled.map((one) => (one.status === "fulfilled" ? one.value : (one.reason as unknown)));

describe("updates that wait for one another", () => {
  it("acquires of a session that wait at once are written by one commit", async () => {
    const { store, id, settle } = await opened();
    const settled = await settle(store.process(), [acquire(id), acquire(id, B), acquire(id, FAR)]);
    expect(answers(settled)).toMatchObject([{ rows: [] }, { rows: [A] }, { rows: [A, B] }]);
    expect([store.commits, store.loaded.length]).toEqual([1, 1]);
    expect([...(store.engine.sessions.get(id)?.rows.values() ?? [])]).toMatchObject([A, B, FAR]);
  });

  it("an acquire behind a revocation finds the session revoked, at the entry that says so", async () => {
    const { store, id, settle } = await opened();
    const [, held] = answers(await settle(store.process(), [revoke(id), acquire(id)])) as [unknown, Held];
    expect(held).toMatchObject({ outcome: "over", session: { revokedAt: NOW_MS + 5 }, position: { cursor: 1 } });
    expect(store.commits).toBe(1);
  });

  it("an acquire behind a removal of the session is decided once that is written, and finds none", async () => {
    const { store, id, settle } = await opened();
    const removal = asked("session", id, ({ found }) => ({
      answer: "removed",
      changes: { sessions: [{ before: found?.session ?? null, after: null }] },
    }));
    const settled = answers(await settle(store.process(), [removal, acquire(id)]));
    expect(settled).toMatchObject(["removed", { outcome: "over", session: undefined }]);
    expect([store.commits, store.engine.sessions.has(id)]).toEqual([2, false]);
  });

  it("a decision that throws is its caller's alone", async () => {
    const { store, id, settle } = await opened();
    const settled = await settle(store.process(), [acquire(id), failing(id), acquire(id, B)]);
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(store.engine.sessions.get(id)?.rows.size).toBe(2);
  });

  it("what asks for a session that is not there is told so", async () => {
    const { store, settle } = await opened();
    const settled = await settle(store.process(), [acquire("none"), revoke("none"), acquire("none", B)]);
    expect(answers(settled)).toMatchObject([{ outcome: "over" }, undefined, { outcome: "over" }]);
  });

  it("updates of a session in one process never conflict, whatever they are", async () => {
    const { store, ids, id, settle } = await opened(3);
    const process = store.process();
    const all = [1, 2, 3, 4, 5].flatMap((n) => [
      ...[report(ids, n), acquire(id), lease(ids), report([id], n + 5), acquireLease(id), acquire(id, FAR)],
    ]);
    expect((await settle(process, all)).map(({ status }) => status)).not.toContain("rejected");
    expect(store.meter.conflicts).toEqual([]);
  });

  it("leases that acquires bring are written by one commit, each on what those before it left", async () => {
    const { store, id, settle } = await opened();
    const settled = await settle(store.process(), [acquireLease(id), acquire(id), acquireLease(id)]);
    expect([answers(settled)[0], answers(settled)[2], store.commits]).toEqual([0, 1, 1]);
    expect(store.engine.sessions.get(id)).toMatchObject({ budget: budgetWith(2) });
  });

  it("leases of sessions wait for all of them, and find what was decided before", async () => {
    const { store, ids, id, settle } = await opened(2);
    const all = [revoke(ids[1] ?? ""), acquireLease(id), lease([...ids, id]), lease(ids)];
    const settled = answers(await settle(store.process(), all));
    expect(settled[2]).toEqual({ micro: [1, 0], cursor: 1 });
    expect(settled[3]).toEqual({ micro: [2, 1], cursor: 1 });
  });

  it("updates of different sessions do not wait for one another", async () => {
    const { store, ids } = await opened(3);
    const process = store.process();
    const all = Promise.all(ids.map((id) => store.ask(process, acquire(id))));
    await nextTurn();
    expect(store.steps).toHaveLength(3);
    await store.run();
    await all;
  });

  it("a report of sessions waits for all of them, and what comes later for it", async () => {
    const { store, ids } = await opened(2);
    const process = store.process();
    const order: string[] = [];
    const all = [acquire(ids[1] ?? ""), report(ids, 1), acquire(ids[0] ?? "")].map(async (one, index) => {
      await store.ask(process, one);
      order.push(`${index} ${one.kind}`);
    });
    await store.run((count) => count - 1);
    await Promise.all(all);
    expect(order).toEqual(["0 session", "1 report", "2 session"]);
  });
});

describe("updates that other processes come before", () => {
  let rev = 0;
  /** Each commit of the other process comes right before one of this. */
  async function meet(
    count: number,
    one: (ids: readonly string[]) => Asked,
    others: (ids: readonly string[]) => Asked,
  ) {
    const { store, ids } = await opened(count);
    const [mine, theirs] = [store.process(), inOrder(store.engine)];
    const settled = Promise.allSettled([store.ask(mine, one(ids))]);
    let isCommit = false;
    await nextTurn();
    while (store.steps.length > 0) {
      const other = others(ids);
      if (isCommit) await theirs.update(other.kind, other.wanted, other.decide);
      isCommit = !isCommit;
      store.steps.shift()?.();
      await nextTurn();
    }
    return { store, ids, outcome: answers(await settled)[0] };
  }

  it("a page that others write into is loaded with half as many each time", async () => {
    const page = asked("withDetails", { createdBeforeMs: NOW_MS + 99, limit: 9 }, (found) =>
      unchanged(found.map(({ id }) => id)),
    );
    const { store, ids, outcome } = await meet(
      10,
      () => page,
      (all) => report(all.slice(3, 4), ++rev),
    );
    const limits = store.loaded.map(({ wanted }) => (wanted as Loads["withDetails"]["wanted"]).limit);
    expect(limits).toEqual([9, 4, 2]);
    expect(outcome).toEqual(ids.slice(0, 2));
  });
  it("an update that others are before 16 times gives up, and that is counted by its kind", async () => {
    const { store, outcome } = await meet(
      1,
      ([id = ""]) => revoke(id),
      (ids) => report(ids, ++rev),
    );
    expect(outcome).toMatchObject({ name: "UpdateConflict" });
    expect(store.meter.conflicts).toEqual(Array.from({ length: MAX_TRIES }, () => "session"));
    expect(store.meter.givenUp).toEqual(["session"]);
  });

  it.each([
    ["a report", (ids: readonly string[]) => report(ids, 1)],
    ["leases", lease],
  ])("%s of several sessions is given back after 4 tries, to be tried in parts", async (_what, ofMany) => {
    const { store, outcome } = await meet(2, ofMany, (ids) => acquire(ids[0] ?? "", B, NOW_MS + ++rev));
    expect(outcome).toMatchObject({ name: "UpdateConflict" });
    expect([store.meter.conflicts.length, store.meter.givenUp]).toEqual([4, []]);
  });

  it("leases of one session give up after 16 tries, as an acquire does", async () => {
    const { store, outcome } = await meet(
      1,
      (ids) => lease([...ids, ...ids]),
      (ids) => acquire(ids[0] ?? "", B, NOW_MS + ++rev),
    );
    expect(outcome).toMatchObject({ name: "UpdateConflict" });
    expect([store.meter.conflicts.length, store.meter.givenUp]).toEqual([MAX_TRIES, ["leases"]]);
  });

  it("a chunk of a revocation has its turn with a session that is written all the time", async () => {
    const { store, id } = await opened(2);
    const filter = { userId: "u1" };
    const request = { id: BULK, filter, atMs: NOW_MS, audited: undefined };
    await inOrder(store.engine).update("newestSession", filter, (newest) => decideBulkRevocation(newest, request));
    const process = store.process();
    const chunk = asked("revocationChunk", { id: BULK, limit: 9 }, (state) => decideChunk(state, NOW_MS + 9));
    let isDone = false;
    const writes = async (): Promise<void> => {
      for (let n = 1; !isDone && n < 99; n++) await store.ask(process, report([id], n));
    };
    const revoked = async (): Promise<void> => {
      await store.ask(process, chunk);
      isDone = true;
    };
    const all = Promise.allSettled([writes(), revoked()]);
    // In turns: each commit of the session comes between the chunk's load and its commit.
    await store.run();
    await all;
    expect(store.meter.conflicts.filter((kind) => kind === "revocationChunk")).toHaveLength(1);
    expect(store.engine.sessions.get(id)?.session.revokedAt).toBe(NOW_MS + 9);
  });
});

describe("a queue that is full, or whose store fails", () => {
  it("an update past the bound of those that wait is turned away as not written", async () => {
    const { store, ids } = await opened(3);
    const process = store.process({ inAll: 2, aLane: 2 });
    const first = ids.slice(0, 2).map((id) => store.ask(process, acquire(id)));
    await expect(store.ask(process, acquire(ids[2] ?? ""))).rejects.toThrow(StoreUnwritable);
    await store.run();
    await Promise.all(first);
    const later = store.ask(process, acquire(ids[2] ?? ""));
    await store.run();
    expect(await later).toMatchObject({ outcome: "held" });
  });

  it("a session that everybody asks for leaves room for others", async () => {
    const { store, ids, id } = await opened(2);
    const process = store.process({ inAll: 9, aLane: 2 });
    const first = [store.ask(process, acquire(id)), store.ask(process, report([id], 1))];
    await expect(store.ask(process, acquire(id, B))).rejects.toThrow(StoreUnwritable);
    const other = store.ask(process, acquire(ids[1] ?? ""));
    await store.run();
    expect(await other).toMatchObject({ outcome: "held" });
    await Promise.all(first);
  });

  it("a commit that fails is told to all whose it was, and the next goes on", async () => {
    const { store, id, settle } = await opened();
    const process = store.process();
    const { engine } = store;
    const commit = engine.commit.bind(engine);
    engine.commit = () => {
      engine.commit = commit;
      throw new StoreUnwritable("the store is away");
    };
    const settled = await settle(process, [acquire(id), acquire(id, B)]);
    expect(answers(settled)).toEqual([
      new StoreUnwritable("the store is away"),
      new StoreUnwritable("the store is away"),
    ]);
    expect(answers(await settle(process, [acquire(id)]))).toMatchObject([{ outcome: "held" }]);
  });
});
