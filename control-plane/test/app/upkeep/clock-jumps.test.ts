// What becomes of sessions when the control plane's wall clock jumps.
import { describe, expect, it } from "vitest";

import { created, shown, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { GRACE_MS, LIMIT_MS, settledPlane, stateAfterSweep, sweep } from "../../support/idle-plane.js";
import { HOUR_MS, sessionAt, STARTER } from "../../support/sessions.js";

/** The jump is seen, and the grace passes. */
function jumpAndGrace(plane: TestControlPlane, ms: number): void {
  plane.clock.step(ms);
  plane.ports.clock.nowMs();
  plane.clock.advance(GRACE_MS);
}

describe("a session whose control plane's clock jumps ahead", () => {
  it("a session in use does not end for idleness, however far the clock jumps", async () => {
    const plane = await settledPlane();
    plane.setPlans({ ...STARTER, maxAge: LIMIT_MS - GRACE_MS, lifetime: 1000 * HOUR_MS });
    const { session } = await created(plane);
    jumpAndGrace(plane, 24 * HOUR_MS);
    expect(await stateAfterSweep(plane, session.id)).toBe("live");
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "live" });
  });

  it("a session ends for idleness as if the clock had not jumped", async () => {
    const plane = await settledPlane();
    plane.setPlans({ ...STARTER, maxAge: LIMIT_MS - GRACE_MS, lifetime: 1000 * HOUR_MS });
    const { session } = await created(plane);
    jumpAndGrace(plane, 24 * HOUR_MS);
    plane.clock.advance(LIMIT_MS - GRACE_MS);
    expect(await stateAfterSweep(plane, session.id)).toBe("live");
    plane.clock.advance(1);
    expect(await stateAfterSweep(plane, session.id)).toBe("expired");
  });

  it("an evicted bucket is refilled for the time that passed, not for the jump", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans({ ...STARTER, lifetime: 1000 * HOUR_MS, tokenRefillRate: 1 });
    const { session } = await created(plane);
    await plane.acquire(session.id);
    await plane.report([[session.id, 1, 100, 0, 0]]);
    jumpAndGrace(plane, HOUR_MS);
    // Of 20 s, a millisecond is not credited.
    expect((await plane.acquire(session.id)).body).toMatchObject({ level: 19_999_000 });
    const shownBuckets = await plane.call("GET", `/v1/sessions/${session.id}/bucket`);
    expect(shownBuckets.text).toContain("19.999");
  });

  it("a bucket goes by the report that came last, not by one that the clock stamped ahead", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans({ ...STARTER, maxAge: 9 * HOUR_MS, lifetime: 9 * HOUR_MS, tokenRefillRate: 0 });
    const { session } = await created(plane);
    plane.clock.step(HOUR_MS);
    await plane.report([[session.id, 1, 1, 90_000_000, 0]], { instance: "a".repeat(16) });
    plane.clock.step(-HOUR_MS);
    await plane.report([[session.id, 1, 80, 10_000_000, 0]], { instance: "b".repeat(16) });
    const restarted = await plane.acquire(session.id, { instance: "c".repeat(16) });
    expect(restarted.body).toMatchObject({ level: 10_000_000 });
  });

  it("a session past its lifetime by the jump alone lives on for the grace, and is not removed", async () => {
    const plane = await startTestControlPlane();
    plane.clock.advance(HOUR_MS);
    const { session } = await created(plane);
    plane.clock.step(24 * HOUR_MS);
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "live" });
    plane.clock.advance(GRACE_MS - 1);
    expect(await stateAfterSweep(plane, session.id)).toBe("live");
    plane.clock.step(-24 * HOUR_MS);
    plane.clock.advance(10 * GRACE_MS);
    expect(await stateAfterSweep(plane, session.id)).toBe("live");
  });

  it("a session in use that a start's clock takes to be long over is live at edges for the grace", async () => {
    const plane = await startTestControlPlane();
    const before = sessionAt(plane.clock.nowMs() - 24 * HOUR_MS);
    await plane.store.create(before);
    const { body } = await plane.acquire(before.id);
    expect(body).toMatchObject({ state: "live", endsInMs: GRACE_MS });
    const reported = await plane.report([[before.id, 1, 1, 0, 0]]);
    expect(reported.body).toMatchObject({ refresh: [] });
    expect((await shown(plane, before.id)).state).toBe("expired");
    plane.clock.advance(GRACE_MS);
    expect((await plane.acquire(before.id)).body).toMatchObject({ state: "expired" });
    expect((await plane.report([[before.id, 2, 2, 0, 0]])).body).toMatchObject({ refresh: [before.id] });
  });

  it("a session that seemed expired lives again when the clock comes back before a sweep", async () => {
    const plane = await startTestControlPlane();
    plane.clock.advance(HOUR_MS);
    const { session } = await created(plane);
    jumpAndGrace(plane, 24 * HOUR_MS);
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "expired" });
    jumpAndGrace(plane, -24 * HOUR_MS);
    expect((await shown(plane, session.id)).state).toBe("live");
    expect((await sweep(plane))?.removed).toBe(0);
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "live" });
  });
});
