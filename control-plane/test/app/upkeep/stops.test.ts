// Stopping in the middle: whatever step a sweep is stopped before, the next one finishes what is left.
import { expect, it } from "vitest";

import { sweepSessions } from "../../../src/app/upkeep/sweep-sessions.js";
import { startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { HOUR_MS, METERED, sessionAt, STARTER } from "../../support/sessions.js";

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
}, 120_000);
