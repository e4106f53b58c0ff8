// Idle expiry: a session ends when it was idle for too long, and by nothing that happens after that.
import { describe, expect, it } from "vitest";

import { EdgeRegistry } from "../../../src/app/edges/status/edge-registry.js";
import { sweepSessions } from "../../../src/app/upkeep/sweep-sessions.js";
import { created, shown } from "../../support/control-plane.js";
import {
  GONE_MS,
  LIMIT_MS,
  MAX_AGE_MS,
  MINUTE_MS,
  planeWithIdlePlan,
  settledPlane,
  stateAfterSweep,
  sweep,
} from "../../support/idle-plane.js";
import { HOUR_MS, METERED, STARTER } from "../../support/sessions.js";

describe("a session that nobody uses", () => {
  it("an unused session is live for maxAge and the grace, and has ended after that", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS);
    expect(await stateAfterSweep(plane, session.id)).toBe("live");
    plane.clock.advance(1);
    expect(await stateAfterSweep(plane, session.id)).toBe("expired");
  });

  it("a session that ended for idleness stays ended, also under a longer maxAge", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS + 1);
    await sweep(plane);
    plane.setPlans({ ...STARTER, maxAge: 5 * HOUR_MS, lifetime: 9 * HOUR_MS });
    const answer = await plane.acquire(session.id);
    expect(answer.body).toMatchObject({ state: "expired", endsInMs: 9 * HOUR_MS - LIMIT_MS - 1 });
    expect(await stateAfterSweep(plane, session.id)).toBe("expired");
  });

  it("a session that ended for idleness counts once, also when it is revoked later", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS + 1);
    await sweep(plane);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_sessions_removed_total{reason="idle"} 1');
    expect(text).not.toContain('sluice_control_sessions_removed_total{reason="revoked"} 1');
    expect(text).toContain("sluice_control_session_duration_seconds_count 1");
  });

  it("an idle session has ended for an edge that asks before the sweep comes", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS + 1);
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "expired" });
    expect((await shown(plane, session.id)).state).toBe("expired");
    expect(plane.logged()).toContain(`"sessionId":"${session.id}","reason":"idle"`);
    expect((await sweep(plane))?.removed).toBe(0);
  });

  it("a session that ends for idleness does not enter the invalidation log", async () => {
    const plane = await settledPlane();
    await created(plane);
    plane.clock.advance(LIMIT_MS + 1);
    expect((await sweep(plane))?.removed).toBe(1);
    expect((await plane.store.position()).cursor).toBe(0);
  });
});

describe("a session that is used", () => {
  it("a session lives on by being acquired", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS);
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "live" });
    await plane.report([]);
    plane.clock.advance(1);
    expect(await stateAfterSweep(plane, session.id)).toBe("live");
  });

  it("a session lives on by what is reported, as of when it was active there", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS);
    await plane.report([[session.id, 1, 1, 0, 60_000]]);
    plane.clock.advance(MINUTE_MS);
    await plane.report([]);
    expect(await stateAfterSweep(plane, session.id)).toBe("live");
    plane.clock.advance(LIMIT_MS - 2 * MINUTE_MS);
    await plane.report([]);
    expect(await stateAfterSweep(plane, session.id)).toBe("live");
    plane.clock.advance(1);
    await plane.report([]);
    expect(await stateAfterSweep(plane, session.id)).toBe("expired");
  });

  it("a session does not live on by a spent budget, or by backends that consume", async () => {
    const plane = await settledPlane();
    plane.setPlans({ ...METERED, maxAge: MAX_AGE_MS });
    const { session } = await created(plane, { plan: "metered" });
    plane.clock.advance(LIMIT_MS);
    await plane.call("POST", `/v1/sessions/${session.id}/consume`, { count: 1 });
    plane.clock.advance(1);
    expect(await stateAfterSweep(plane, session.id)).toBe("expired");
  });
});

describe("the control plane's own start", () => {
  it("idle time counts from the control plane's own start", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS + 1);
    const restarted = { ...plane.ports, instances: new EdgeRegistry({ clock: plane.clock, policies: plane.policies }) };
    expect((await sweepSessions(restarted, () => false))?.removed).toBe(0);
    plane.clock.advance(LIMIT_MS);
    expect((await sweepSessions(restarted, () => false))?.removed).toBe(0);
    plane.clock.advance(1);
    expect((await sweepSessions(restarted, () => false))?.removed).toBe(1);
    expect((await shown(plane, session.id)).state).toBe("expired");
  });

  it("an instance without any contact yet counts as behind until it would be gone", async () => {
    const plane = await planeWithIdlePlan();
    plane.setPlans({ ...STARTER, maxAge: MINUTE_MS });
    const { session } = await created(plane);
    await plane.acquire(session.id);
    const restarted = { ...plane.ports, instances: new EdgeRegistry({ clock: plane.clock, policies: plane.policies }) };
    plane.clock.advance(GONE_MS - 1);
    expect((await sweepSessions(restarted, () => false))?.removed).toBe(0);
    plane.clock.advance(1);
    expect((await sweepSessions(restarted, () => false))?.removed).toBe(1);
  });
});
