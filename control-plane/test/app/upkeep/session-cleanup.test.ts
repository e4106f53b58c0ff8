// Session cleanup: sessions that are over go, with all that belongs to them.
import { describe, expect, it, vi } from "vitest";

import { startSweeping } from "../../../src/app/upkeep/sweep-schedule.js";
import { sweepSessions } from "../../../src/app/upkeep/sweep-sessions.js";
import { created, expectError, shown, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { claimedWork } from "../../support/claimed.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { HOUR_MS, METERED, sessionAt, STARTER } from "../../support/sessions.js";

const sweep = (plane: TestControlPlane) => sweepSessions(plane.ports, () => false);

function lines(logged: string, event: string): Record<string, unknown>[] {
  const all = logged.split("\n").filter((line) => line.includes(`"event":"${event}"`));
  return all.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("a sweep", () => {
  it("a sweep removes sessions past their lifetime, and logs how many went and remain", async () => {
    const plane = await startTestControlPlane();
    const [old, young] = [(await created(plane)).session, (await created(plane, { plan: "metered" })).session];
    plane.setPlans(STARTER, { ...METERED, lifetime: 2 * HOUR_MS, maxAge: 2 * HOUR_MS });
    await plane.report([[old.id, 1, 5, 0, 0]]);
    plane.clock.advance(HOUR_MS);
    expect(await sweep(plane)).toEqual({ removed: 1, remaining: 1 });
    expectError(await plane.call("GET", `/v1/sessions/${old.id}`), "SESSION_NOT_FOUND");
    expect((await plane.acquire(old.id)).body).toMatchObject({ state: "unknown" });
    expect((await shown(plane, young.id)).state).toBe("live");
    expect(lines(plane.logged(), "session-removed")).toMatchObject([{ sessionId: old.id, reason: "expired" }]);
    expect(lines(plane.logged(), "session-cleanup")).toMatchObject([{ removed: 1, remaining: 1 }]);
  });

  it("a sweep counts runs, removals, its duration and how long the sessions lived", async () => {
    const plane = await startTestControlPlane();
    await created(plane);
    plane.clock.advance(HOUR_MS + 500);
    await sweep(plane);
    await sweep(plane);
    const { text } = await plane.status("/metrics");
    expect(text).toContain("sluice_control_cleanup_runs_total 2");
    expect(text).toContain("sluice_control_cleanup_removed_total 1");
    expect(text).toContain("sluice_control_cleanup_duration_seconds_count 2");
    expect(text).toContain('sluice_control_sessions_removed_total{reason="expired"} 1');
    expect(text).toContain("sluice_control_session_duration_seconds_sum 3600");
  });

  it("a sweep goes through more sessions than one step takes", async () => {
    const plane = await startTestControlPlane();
    const sessions = Array.from({ length: 300 }, (_, i) => sessionAt(plane.clock.nowMs() - HOUR_MS - i));
    const live = Array.from({ length: 200 }, () => sessionAt(plane.clock.nowMs()));
    await Promise.all([...sessions, ...live].map((session) => plane.store.create(session)));
    expect(await sweep(plane)).toEqual({ removed: 300, remaining: 200 });
    expect(await sweep(plane)).toEqual({ removed: 0, remaining: 200 });
  });

  it("a revoked session is kept until no plan could make its token valid again", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans(STARTER, { ...METERED, lifetime: 3 * HOUR_MS });
    const { session } = await created(plane);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    plane.clock.advance(3 * HOUR_MS);
    await sweep(plane);
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "revoked" });
    plane.clock.advance(1);
    await sweep(plane);
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "unknown" });
  });

  it("a session whose plan the policy lost ends by its lifetime at creation", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.setPlans(METERED);
    plane.clock.advance(HOUR_MS - 1);
    expect((await sweep(plane))?.removed).toBe(0);
    expect((await shown(plane, session.id)).state).toBe("live");
    plane.clock.advance(1);
    expect((await sweep(plane))?.removed).toBe(1);
  });

  it("a sweep does nothing while there is no policy", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans();
    expect(await sweep(plane)).toBeUndefined();
  });

  it("a sweep that is stopped takes no further step, whatever number of plans there are", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans(STARTER, METERED);
    const many = (plan: typeof STARTER) => Array.from({ length: 60 }, () => sessionAt(plane.clock.nowMs(), plan));
    const sessions = [...many(STARTER), ...many(METERED)];
    await Promise.all(sessions.map((session) => plane.store.create(session)));
    for (const { id } of sessions.slice(0, 30)) await plane.store.revoke(id, plane.clock.nowMs());
    plane.clock.advance(HOUR_MS + 1);
    const update = vi.spyOn(plane.ports.store, "update");
    expect(await sweepSessions(plane.ports, () => true)).toEqual({ removed: 0, remaining: null });
    expect(update.mock.calls).toHaveLength(0);
    let looks = 0;
    const { removed } = (await sweepSessions(plane.ports, () => looks++ > 0)) ?? { removed: 0 };
    expect(update.mock.calls).toHaveLength(1);
    const next = await sweep(plane);
    expect([removed + (next?.removed ?? 0), next?.remaining]).toEqual([90, 0]);
    expect((await plane.call("GET", `/v1/sessions/${sessions[0]?.id ?? ""}`)).status).toBe(404);
  });
});

describe("sweeps", () => {
  it("sweeps come every cleanupInterval, one after the other, until they are stopped", async () => {
    const plane = await startTestControlPlane();
    const timers = new ManualTimers(plane.clock);
    const stop = startSweeping(plane.ports, claimedWork(), timers);
    const sweeps = () => lines(plane.logged(), "session-cleanup").length;
    for (const expected of [1, 2]) {
      timers.advance(59_999);
      expect([sweeps(), timers.pending]).toEqual([expected - 1, 1]);
      timers.advance(1);
      await expect.poll(() => timers.pending).toBe(1);
      expect(sweeps()).toBe(expected);
    }
    await stop();
    timers.advance(120_000);
    expect([sweeps(), timers.pending]).toEqual([2, 0]);
  });

  it("a sweep that is due while a jump of the clock waits removes nothing; the next one does", async () => {
    const plane = await startTestControlPlane();
    const timers = new ManualTimers(plane.clock);
    const old = sessionAt(plane.clock.nowMs() - 2 * HOUR_MS);
    await plane.store.create(old);
    const stop = startSweeping(plane.ports, claimedWork(), timers);
    timers.advance(59_000);
    plane.clock.step(HOUR_MS);
    timers.advance(1000);
    await expect.poll(() => timers.pending).toBe(1);
    expect(await plane.store.find(old.id)).toBeDefined();
    timers.advance(60_000);
    await expect.poll(() => lines(plane.logged(), "session-cleanup").length).toBe(1);
    expect(await plane.store.find(old.id)).toBeUndefined();
    await stop();
  });

  it("sweeps go on after one that failed", async () => {
    const plane = await startTestControlPlane();
    const timers = new ManualTimers(plane.clock);
    const plansInUse = plane.ports.usage.plansInUse.bind(plane.ports.usage);
    plane.ports.usage.plansInUse = () => Promise.reject(new Error("page 17 is torn"));
    const stop = startSweeping(plane.ports, claimedWork(), timers);
    timers.advance(60_000);
    await expect.poll(() => timers.pending).toBe(1);
    expect(lines(plane.logged(), "session-cleanup-failed")).toHaveLength(1);
    plane.ports.usage.plansInUse = plansInUse;
    timers.advance(60_000);
    await expect.poll(() => lines(plane.logged(), "session-cleanup").length).toBe(1);
    await stop();
  });
});
