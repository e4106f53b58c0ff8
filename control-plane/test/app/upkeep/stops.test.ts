// Stopping in the middle: whatever step upkeep is stopped before, the next round finishes what is left.
import { setImmediate as nextTurn } from "node:timers/promises";

import { expect, it, vi } from "vitest";

import { startLogKeeping } from "../../../src/app/upkeep/log-retention.js";
import { applyRetention } from "../../../src/app/upkeep/retention.js";
import { sweepSessions } from "../../../src/app/upkeep/sweep-sessions.js";
import { claimedWork } from "../../support/claimed.js";
import { startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { HOUR_MS, METERED, sessionAt, STARTER } from "../../support/sessions.js";
import { temporaryStore } from "../../support/temporary-store.js";
import { MemoryLog } from "../../../src/store/memory/invalidation-log.js";

/** A step takes 50. */
const MORE_THAN_A_STEP = 51;
const DAY_MS = 24 * HOUR_MS;

/** More than a step of each: expired, ended long ago, idle; keys of consumptions that are old; and some that live. */
async function full(): Promise<TestControlPlane> {
  const plane = await startTestControlPlane();
  const lasting = { ...METERED, lifetime: 2 * DAY_MS };
  plane.setPlans({ ...STARTER, lifetime: HOUR_MS }, lasting);
  const many = (age: number, plan: typeof STARTER) =>
    Array.from({ length: MORE_THAN_A_STEP }, (_, i) => sessionAt(plane.clock.nowMs() - age - i, plan));
  const ended = many(2 * DAY_MS, STARTER);
  for (const session of [...many(0, STARTER), ...ended, ...many(0, lasting)]) await plane.store.create(session);
  for (const { id } of ended) await plane.store.revoke(id, plane.clock.nowMs() - 2 * DAY_MS);
  plane.clock.advance(2 * HOUR_MS);
  const live = many(0, lasting);
  const atMs = plane.clock.nowMs() - DAY_MS - 1;
  const consumption = { count: 1, keptSinceMs: 0, atMs, budgets: new Map([[lasting.id, 5000]]), isLive: () => true };
  for (const session of live) {
    await plane.store.create(session);
    await plane.store.usage.consume(session.id, { ...consumption, key: "job-1" });
  }
  return plane;
}

it("a sweep that is stopped before any of its steps is finished by the next, once", async () => {
  for (let looks = 0; ; looks++) {
    const plane = await full();
    let looked = 0;
    const first = await sweepSessions(plane.ports, () => looked++ >= looks);
    const second = await sweepSessions(plane.ports, () => false);
    expect([(first?.removed ?? 0) + (second?.removed ?? 0), second?.remaining], `stopped at look ${looks}`).toEqual([
      2 * MORE_THAN_A_STEP,
      MORE_THAN_A_STEP,
    ]);
    expect(await sweepSessions(plane.ports, () => false)).toEqual({ removed: 0, remaining: MORE_THAN_A_STEP });
    expect(await plane.store.usage.forgetConsumptions(plane.clock.nowMs(), 1000)).toBe(0);
    await plane.app.close();
    if (looked <= looks) return;
  }
}, 300_000);

/** A step of retention takes 500, of sessions from ahead 50. */
const MORE_THAN_A_CHUNK = 501;
const YEAR_MS = 365 * DAY_MS;

/** Client details of two kinds of session, keys and audit entries, more than a step of each, all to be forgotten. */
async function allDue() {
  const plane = await startTestControlPlane();
  const { store, clock } = plane;
  plane.setPlans({ ...STARTER, lifetime: YEAR_MS });
  const many = (count: number, at: number) => Array.from({ length: count }, (_, i) => sessionAt(at + i));
  const old = many(MORE_THAN_A_CHUNK, clock.nowMs());
  const ahead = many(MORE_THAN_A_STEP, clock.nowMs() + 10 * YEAR_MS);
  await Promise.all([...old, ...ahead].map((session) => store.create(session)));
  await sweepSessions(plane.ports, () => false);
  const withKey = old.map((_, i) => {
    const repeatable = { key: `job-${i}`, requestHash: "", keptSinceMs: 0 };
    const session = sessionAt(clock.nowMs(), STARTER, `u${i}`);
    return store.operator.issue({ session, limit: null, repeatable, isLive: () => true });
  });
  const event = { at: clock.nowMs(), actor: "file", action: "policy-accepted", sessionId: null, details: {} } as const;
  await Promise.all([...withKey, ...old.map(() => store.audit.appendAudit(event))]);
  clock.advance(2 * DAY_MS);
  const retention = { metadataMs: DAY_MS, audit: { maxEntries: 1, maxAgeMs: YEAR_MS } };
  const round = (stopped: () => boolean) =>
    applyRetention(store, store.operator, store.audit, retention, clock.nowMs(), stopped);
  return { plane, sessions: [...old, ...ahead], round };
}

it("a retention that is stopped before any of its steps is finished by the next", async () => {
  for (let looks = 0; ; looks++) {
    const { plane, sessions, round } = await allDue();
    const { store, clock } = plane;
    let looked = 0;
    await round(() => looked++ >= looks);
    await round(() => false);
    const found = await Promise.all(sessions.map(({ id }) => store.find(id)));
    expect(
      found.filter((session) => session?.metadata.ip !== null),
      `stopped at look ${looks}`,
    ).toEqual([]);
    expect(await store.operator.forgetCreationKeys(clock.nowMs(), 1)).toBe(0);
    expect(await store.audit.auditBefore(undefined, 2)).toHaveLength(1);
    await plane.app.close();
    if (looked <= looks) return;
  }
}, 300_000);

it("keeping the log ends before its next step when it is stopped, and the next start finishes", async () => {
  const clock = new FixedClock();
  const parts = {
    log: new MemoryLog(),
    revocations: (await temporaryStore()).revocations,
    kept: { maxEntries: 1, maxAgeMs: DAY_MS },
    claimed: claimedWork(),
    clock,
    timers: new ManualTimers(clock),
    logger: { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() },
  };
  for (let i = 0; i < 3 * MORE_THAN_A_CHUNK; i++) parts.log.append("revoked", `s${i}`, clock.nowMs());
  const trim = vi.spyOn(parts.log, "trim");
  const forget = vi.spyOn(parts.revocations, "forgetFinished");
  const stopEarly = startLogKeeping(parts);
  while (trim.mock.calls.length === 0) await Promise.resolve();
  await stopEarly();
  expect([trim.mock.calls.length, forget.mock.calls.length, parts.timers.pending]).toEqual([1, 0, 0]);
  const stop = startLogKeeping(parts);
  while (parts.timers.pending === 0) await nextTurn();
  await stop();
  const readFrom = async (cursor: number) => (await parts.log.read({ log: parts.log.id, cursor }, 1)).kind;
  expect(await readFrom(3 * MORE_THAN_A_CHUNK - 2)).toBe("outOfReach");
  expect(await readFrom(3 * MORE_THAN_A_CHUNK - 1)).toBe("entries");
  expect(parts.timers.pending).toBe(0);
});
