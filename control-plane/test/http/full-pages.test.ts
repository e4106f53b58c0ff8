// Pages that are exactly full: the next one is empty and the last, or there is none.
import { expect, it } from "vitest";

import { MAX_WATCH_ENTRIES } from "../../../assembly/contract.js";
import { created, KEYS, startTestControlPlane } from "../support/control-plane.js";
import type { TestControlPlane } from "../support/control-plane.js";
import { sessionAt } from "../support/sessions.js";

/** What each page of a list holds, to its end. */
async function pageSizes(plane: TestControlPlane, path: string, of: "sessions" | "entries"): Promise<number[]> {
  const sizes: number[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const { body } = await plane.call("GET", `${path}${cursor === "" ? "" : `&cursor=${cursor}`}`);
    const page = body as Record<typeof of, readonly unknown[]> & { cursor: string | null };
    sizes.push(page[of].length);
    cursor = page.cursor;
  }
  return sizes;
}

it.each([
  [250, 250],
  [250, 125],
  [500, 500],
])("a list of %i sessions by pages of %i names each of them, and ends", async (count, limit) => {
  const plane = await startTestControlPlane();
  const sessions = Array.from({ length: count }, (_, i) => sessionAt(plane.clock.nowMs() + i));
  await Promise.all(sessions.map((session) => plane.store.create(session)));
  for (const filter of ["", "&userId=u1", "&state=live"]) {
    const sizes = await pageSizes(plane, `/v1/sessions?limit=${limit}${filter}`, "sessions");
    expect(sizes.filter((size) => size > 0)).toEqual(Array(count / limit).fill(limit));
  }
});

it("the audit log by pages that its entries fill exactly names each of them, and ends", async () => {
  const plane = await startTestControlPlane();
  for (let i = 0; i < 4; i++) await plane.call("DELETE", `/v1/sessions/${(await created(plane)).session.id}`);
  expect(await pageSizes(plane, "/v1/audit?limit=2", "entries")).toEqual([2, 2]);
  expect(await pageSizes(plane, "/v1/audit?limit=4", "entries")).toEqual([4]);
});

it("a watch that is answered with as many sessions as it may name goes on after them", async () => {
  const plane = await startTestControlPlane();
  const sessions = Array.from({ length: MAX_WATCH_ENTRIES }, (_, i) => sessionAt(plane.clock.nowMs() + i));
  await Promise.all(sessions.map((session) => plane.store.create(session)));
  const { log } = await plane.store.position();
  for (const { id } of sessions) void plane.store.revoke(id, plane.clock.nowMs());
  await expect.poll(async () => (await plane.store.position()).cursor).toBe(MAX_WATCH_ENTRIES);
  const watch = { edge: "gw-1", instance: "0".repeat(16), log, since: 0 };
  const full = await plane.call("POST", "/edge/v1/watch", watch, KEYS.edgeCredential);
  expect((full.body as { revoked: string[] }).revoked).toHaveLength(MAX_WATCH_ENTRIES);
  expect(full.body).toMatchObject({ cursor: MAX_WATCH_ENTRIES });
  await plane.store.create(sessionAt(0));
  const next = { ...watch, since: MAX_WATCH_ENTRIES };
  const held = plane.call("POST", "/edge/v1/watch", next, KEYS.edgeCredential);
  await expect.poll(() => plane.watches.heldCount()).toBe(1);
  plane.timers.advance(20_000);
  expect((await held).body).toMatchObject({ cursor: MAX_WATCH_ENTRIES, revoked: [] });
});
