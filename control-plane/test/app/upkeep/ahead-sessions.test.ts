// Sessions that were created while the clock was a year ahead, once it is right again.
import { describe, expect, it } from "vitest";

import { applyRetention } from "../../../src/app/upkeep/retention.js";
import { created, shown, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { stateAfterSweep, sweep } from "../../support/idle-plane.js";
import { HOUR_MS, METERED, STARTER } from "../../support/sessions.js";

const YEAR_MS = 365 * 24 * HOUR_MS;
const METADATA_MS = 2 * HOUR_MS;
const FIELDS = { metadata: { ip: "192.0.2.1", userAgent: "curl" } };

/** A start with the clock ahead, in which a session is created, and the clock is set right. */
async function planeAfterStartAhead() {
  const plane = await startTestControlPlane();
  plane.setPlans({ ...STARTER, maxAge: YEAR_MS, lifetime: 10 * HOUR_MS });
  plane.clock.step(YEAR_MS);
  const { session } = await created(plane, FIELDS);
  plane.clock.step(-YEAR_MS);
  return { plane, ahead: session };
}

const forget = ({ store, clock }: TestControlPlane): Promise<void> =>
  applyRetention(store, store.operator, store.audit, retention, clock.nowMs());
const retention = { metadataMs: METADATA_MS, audit: { maxEntries: 1000, maxAgeMs: YEAR_MS } };

/** By sweeps, and not a millisecond longer. */
async function expectKeptFor(plane: TestControlPlane, id: string, ms: number): Promise<void> {
  plane.clock.advance(ms - 1);
  await sweep(plane);
  expect(await plane.store.find(id)).toBeDefined();
  plane.clock.advance(1);
  await sweep(plane);
  expect(await plane.store.find(id)).toBeUndefined();
}

describe("a session that was created while the clock was a year ahead", () => {
  it("a session from ahead is live for its lifetime from when that is noticed, and then removed", async () => {
    const { plane, ahead } = await planeAfterStartAhead();
    expect(await stateAfterSweep(plane, ahead.id)).toBe("live");
    expect(plane.logged()).toContain('"event":"sessions-ahead","sessions":1');
    expect((await shown(plane, ahead.id)).endsAt).toBe(plane.clock.nowMs() + 10 * HOUR_MS);
    plane.clock.advance(10 * HOUR_MS - 1);
    expect((await plane.acquire(ahead.id)).body).toMatchObject({ state: "live", endsInMs: 1 });
    plane.clock.advance(1);
    expect((await plane.acquire(ahead.id)).body).toMatchObject({ state: "expired" });
    expect(await sweep(plane)).toMatchObject({ removed: 1, remaining: 0 });
    expect(await plane.store.find(ahead.id)).toBeUndefined();
  });

  it("a revoked session from ahead is removed once no token of it can be valid any more", async () => {
    const { plane, ahead } = await planeAfterStartAhead();
    await sweep(plane);
    await plane.call("DELETE", `/v1/sessions/${ahead.id}`);
    await expectKeptFor(plane, ahead.id, 10 * HOUR_MS);
  });

  it("a revoked session from ahead is kept for the longest lifetime of any plan", async () => {
    const { plane, ahead } = await planeAfterStartAhead();
    plane.setPlans({ ...STARTER, lifetime: 10 * HOUR_MS }, { ...METERED, lifetime: 12 * HOUR_MS });
    await sweep(plane);
    await plane.call("DELETE", `/v1/sessions/${ahead.id}`);
    await expectKeptFor(plane, ahead.id, 12 * HOUR_MS);
  });

  it("ip and user agent of a session from ahead go in time after it was noticed", async () => {
    const { plane, ahead } = await planeAfterStartAhead();
    await sweep(plane);
    plane.clock.advance(METADATA_MS);
    await forget(plane);
    expect((await plane.store.find(ahead.id))?.metadata.ip).toBe("192.0.2.1");
    plane.clock.advance(1);
    await forget(plane);
    expect((await plane.store.find(ahead.id))?.metadata).toEqual({ ip: null, userAgent: null, route: null });
  });

  it("sessions from ahead of a start with the clock behind have their own time once it is right", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans({ ...STARTER, maxAge: YEAR_MS, lifetime: 10 * HOUR_MS });
    const { session } = await created(plane);
    plane.clock.step(-72 * HOUR_MS);
    expect(await stateAfterSweep(plane, session.id)).toBe("live");
    plane.clock.advance(5000);
    plane.clock.step(72 * HOUR_MS);
    expect(await shown(plane, session.id)).toMatchObject({ state: "live", endsAt: session.endsAt });
    expect((await sweep(plane))?.removed).toBe(0);
  });

  it("many sessions from ahead are walked in steps, and other sessions are no part of it", async () => {
    const plane = await startTestControlPlane();
    plane.clock.step(YEAR_MS);
    for (let i = 0; i < 120; i++) await created(plane);
    plane.clock.step(-YEAR_MS);
    await created(plane);
    await sweep(plane);
    expect(plane.logged()).toContain('"event":"sessions-ahead","sessions":120');
    plane.clock.advance(HOUR_MS);
    expect(await sweep(plane)).toMatchObject({ removed: 121, remaining: 0 });
  });
});
