// Bounds of the store that no test of ordinary size reaches.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

import { openLayout } from "../../src/store/lmdb/layout.js";
import { METERED, sessionAt, STARTER } from "../support/sessions.js";
import { openStore, temporaryStore } from "../support/temporary-store.js";
import type { StoreOfTests } from "../support/temporary-store.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const MAX_CREATION_KEYS = 1_000_000;

const issue = (store: StoreOfTests, key: string, atMs: number) => {
  const repeatable = { key, requestHash: "h", keptSinceMs: 0 };
  return store.operator.issue({ session: sessionAt(atMs), limit: null, repeatable, isLive: () => true });
};

it("past a million keys of creations each new one takes the place of the oldest", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bounds-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const before = await openStore(folder);
  for (const [i, key] of ["operator a", "operator b", "operator c"].entries()) await issue(before, key, NOW_MS + i);
  await before.close();
  // As if all the others were there too.
  const layout = openLayout(folder, { bytes: (n) => new Uint8Array(n) });
  await layout.meta.put("creationKeys", MAX_CREATION_KEYS - 1);
  await layout.env.close();

  const store = await openStore(folder);
  onTestFinished(() => store.close());
  await issue(store, "operator d", NOW_MS + 10);
  expect((await issue(store, "operator a", NOW_MS + 20)).outcome).toBe("repeated");
  await issue(store, "operator e", NOW_MS + 30);
  expect((await issue(store, "operator b", NOW_MS + 40)).outcome).toBe("repeated");
  expect((await issue(store, "operator a", NOW_MS + 50)).outcome).toBe("created");
  expect((await issue(store, "operator b", NOW_MS + 60)).outcome).toBe("created");
});

/** Three sessions: with a row less than a page may have, with the key of one consumption, and with none. */
async function sessionsWithRows() {
  const store = await temporaryStore();
  const sessions = [1, 2, 3].map((at) => sessionAt(at));
  const [first = "", second = "", third = ""] = sessions.map(({ id }) => id);
  for (const session of sessions) await store.create(session);
  const rows = Array.from({ length: 499 }, (_, i) => {
    const figures = { rev: 1, consumed: 1, levelMicro: 1, atMs: 1, reportedAtMs: 1 };
    return { sessionId: first, edge: "gw-1", instance: i.toString(16).padStart(16, "0"), ...figures };
  });
  await store.usage.report(rows, new Map());
  const consumption = { count: 1, keptSinceMs: 0, atMs: 1, budgets: new Map([[STARTER.id, 5000]]), isLive: () => true };
  await store.usage.consume(second, { ...consumption, key: "job-1" });
  return { store, first, second, third };
}

it("a step of a sweep that removes takes no further session once there are 500 rows to go", async () => {
  const { store, first, second, third } = await sessionsWithRows();
  const idsOf = (sessions: readonly { id: string }[]): string[] => sessions.map(({ id }) => id);
  const ofPlan = { planId: STARTER.id, untilMs: NOW_MS, limit: 50 };
  const created = await store.update("byCreation", { ...ofPlan, after: undefined }, ({ page, next }) => ({
    answer: [idsOf(page), next],
    changes: {},
  }));
  expect(created.answer).toEqual([[first, second], second]);
  const rest = await store.update("byCreation", { ...ofPlan, after: second }, ({ page, next }) => ({
    answer: [idsOf(page), next],
    changes: {},
  }));
  expect(rest.answer).toEqual([[third], undefined]);
  const ahead = { createdAfterMs: 0, after: undefined, limit: 50 };
  const late = await store.update("createdAfter", ahead, ({ page, next }) => ({
    answer: [idsOf(page), next],
    changes: {},
  }));
  expect(late.answer).toEqual([[first, second], second]);
  for (const id of [first, second, third]) await store.revoke(id, NOW_MS);
  // What finds them over is the walk over those by activity.
  await store.update("byActivity", { ...ofPlan, after: undefined }, () => ({ answer: undefined, changes: {} }));
  await store.update("byActivity", { ...ofPlan, after: undefined }, () => ({ answer: undefined, changes: {} }));
  const gone = { createdBeforeMs: NOW_MS, limit: 50 };
  const over = await store.update("ended", gone, (page) => ({ answer: idsOf(page), changes: {} }));
  expect(over.answer).toEqual([first, second]);
});

it("a walk over a plan's sessions by activity meets those of no other plan", async () => {
  const store = await temporaryStore();
  const [below, own, above] = [STARTER, METERED, { ...METERED, id: 8 }].map((plan) => sessionAt(1, plan));
  for (const session of [below, own, above]) if (session !== undefined) await store.create(session);
  const wanted = { planId: METERED.id, untilMs: NOW_MS, after: undefined, limit: 1 };
  const { answer } = await store.update("byActivity", wanted, ({ page }) => ({
    answer: page.map(({ session }) => session.id),
    changes: {},
  }));
  expect(answer).toEqual([own?.id]);
});

it("a step of a sweep that reads rows takes no further session once it has read 500", async () => {
  const { store, first, second } = await sessionsWithRows();
  const figures = { rev: 1, consumed: 1, levelMicro: 1, atMs: 1, reportedAtMs: 1 };
  await store.usage.report([{ sessionId: second, edge: "gw-1", instance: "f".repeat(16), ...figures }], new Map());
  const wanted = { planId: STARTER.id, untilMs: NOW_MS, after: undefined, limit: 50 };
  const { answer } = await store.update("byActivity", wanted, ({ page, next }) => ({
    answer: [page.map(({ session }) => session.id), next?.[1]],
    changes: {},
  }));
  expect(answer).toEqual([[first, second], second]);
});
