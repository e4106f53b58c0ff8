// Bulk revocations of more sessions than one chunk takes: two at once, the one that waits, and a stop in the middle.
import { expect, it } from "vitest";

import { BulkRevocations } from "../../../src/app/sessions/bulk-revocations.js";
import type { Updates } from "../../../src/app/ports/update-ports.js";
import { created, startTestControlPlane } from "../../support/control-plane.js";
import { claimedWork } from "../../support/claimed.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { quiet } from "../../support/quiet-logger.js";
import { sessionAt, STARTER } from "../../support/sessions.js";
import { temporaryStore } from "../../support/temporary-store.js";
import type { StoreOfTests } from "../../support/temporary-store.js";
import { settled } from "../../support/watching.js";

const CHUNK = 200;
const NOW_MS = Date.UTC(2026, 0, 1);

async function withSessions(users: Readonly<Record<string, number>>): Promise<StoreOfTests> {
  const store = await temporaryStore();
  for (const [user, count] of Object.entries(users)) {
    const sessions = Array.from({ length: count }, (_, i) => sessionAt(NOW_MS + i, STARTER, user));
    await Promise.all(sessions.map((session) => store.create(session)));
  }
  return store;
}

/** `chunks` names the operation of each chunk that was carried out; `onChunk` is called before each. */
function runner(store: StoreOfTests, onChunk: (chunks: readonly string[]) => void = () => undefined) {
  const clock = new FixedClock();
  const chunks: string[] = [];
  const ended: string[] = [];
  const updates: Updates = {
    update: (kind, wanted, decide) => {
      if (kind === "revocationChunk") {
        chunks.push((wanted as { id: string }).id);
        onChunk(chunks);
      }
      return store.update(kind, wanted, decide);
    },
  };
  let made = 0;
  const revocations = new BulkRevocations({
    store: store.revocations,
    updates,
    claimed: claimedWork(),
    isShared: false,
    clock,
    timers: new ManualTimers(clock),
    random: { bytes: (n) => new Uint8Array(n).fill(++made) },
    logger: quiet,
    meter: { sessionCreated: () => undefined, acquired: () => undefined, sessionRemoved: (r) => void ended.push(r) },
  });
  return { revocations, chunks, ended };
}

async function finished(store: StoreOfTests, id: string) {
  for (;;) {
    const operation = await store.revocations.find(id);
    if (operation !== undefined && operation.finishedAt !== null) return operation;
    await settled();
  }
}

it("two bulk revocations at once end all that they mean, one after the other", async () => {
  const store = await withSessions({ u1: 2 * CHUNK + 50, u2: CHUNK + 50, u3: 1 });
  const { revocations, chunks, ended } = runner(store);
  const [first, second] = await Promise.all([
    revocations.revoke({ userId: "u1" }, "operator:test"),
    revocations.revoke({ userId: "u2" }, "operator:test"),
  ]);
  expect(await finished(store, second.id)).toMatchObject({ examined: CHUNK + 50, revoked: CHUNK + 50 });
  expect(await finished(store, first.id)).toMatchObject({ examined: 2 * CHUNK + 50, revoked: 2 * CHUNK + 50 });
  // What is counted follows the commit.
  await revocations.stop();
  expect(chunks).toEqual([first.id, first.id, first.id, second.id, second.id]);
  expect(ended).toHaveLength(3 * CHUNK + 100);
  expect((await store.position()).cursor).toBe(3 * CHUNK + 100);
});

it("a bulk revocation that is asked for in the last chunk of another is carried out too", async () => {
  const store = await withSessions({ u1: CHUNK + 1, u2: 1 });
  let second: Promise<{ readonly id: string }> | undefined;
  const { revocations } = runner(store, (chunks) => {
    if (chunks.length === 2) second = revocations.revoke({ userId: "u2" }, "operator:test");
  });
  const first = await revocations.revoke({ userId: "u1" }, "operator:test");
  await finished(store, first.id);
  const { id } = (await second) ?? { id: "" };
  expect(await finished(store, id)).toMatchObject({ revoked: 1 });
});

it.each([CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])(
  "a bulk revocation of %i sessions ends each of them once",
  async (count) => {
    const store = await withSessions({ u1: count });
    const { revocations, ended } = runner(store);
    const { id } = await revocations.revoke({ userId: "u1" }, "operator:test");
    expect(await finished(store, id)).toMatchObject({ examined: count, revoked: count });
    await revocations.stop();
    expect([ended.length, await store.countLive(STARTER.id, 0)]).toEqual([count, 0]);
  },
);

it("a stop in the middle leaves both bulk revocations to the next process, which ends the rest", async () => {
  const store = await withSessions({ u1: 2 * CHUNK + 1, u2: 1 });
  const stops: Promise<void>[] = [];
  const stopped = runner(store, (chunks) => {
    if (chunks.length === 2) stops.push(stopped.revocations.stop());
  });
  const first = await stopped.revocations.revoke({ userId: "u1" }, "operator:test");
  const second = await stopped.revocations.revoke({ userId: "u2" }, "operator:test");
  while (stops.length === 0) await settled();
  await Promise.all(stops);
  expect(stopped.chunks).toHaveLength(2);
  expect(await store.revocations.find(first.id)).toMatchObject({ examined: 2 * CHUNK, finishedAt: null });
  const next = runner(store);
  await next.revocations.start();
  expect(await finished(store, second.id)).toMatchObject({ revoked: 1 });
  await next.revocations.stop();
  expect(next.chunks).toEqual([first.id, second.id]);
  expect([stopped.ended.length, next.ended.length]).toEqual([2 * CHUNK, 2]);
});

it("the metrics count the sessions that a bulk revocation ended, with their age", async () => {
  const plane = await startTestControlPlane();
  for (let i = 0; i < 3; i++) await created(plane);
  plane.clock.advance(2000);
  await plane.call("DELETE", "/v1/sessions?userId=u1");
  await expect
    .poll(async () => (await plane.status("/metrics")).text)
    .toContain('sluice_control_sessions_removed_total{reason="revoked"} 3');
  const { text } = await plane.status("/metrics");
  expect(text).toContain("sluice_control_session_duration_seconds_sum 6");
});

it("the metrics count what backends consume by plan, and a repeat only once", async () => {
  const plane = await startTestControlPlane();
  const { session } = await created(plane, { plan: "metered" });
  const more = { "idempotency-key": "job-1" };
  for (const key of [more, more, {}]) {
    await plane.call("POST", `/v1/sessions/${session.id}/consume`, { count: 7 }, undefined, key);
  }
  await plane.call("POST", `/v1/sessions/${session.id}/consume`, { count: 5000 });
  const { text } = await plane.status("/metrics");
  expect(text).toContain('sluice_control_tokens_consumed_total{plan="metered"} 14');
});
