// Session revocation: DELETE /v1/sessions/:id, at the control plane.
import { describe, expect, it } from "vitest";

import { created, expectError, shown, startTestControlPlane } from "../../support/control-plane.js";
import { HOUR_MS, sessionAt, STARTER } from "../../support/sessions.js";

describe("session revocation", () => {
  it("a revocation is answered with 204, and the session is revoked for edges too", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.clock.advance(10);
    const answer = await plane.call("DELETE", `/v1/sessions/${session.id}`);
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect(await shown(plane, session.id)).toEqual({ ...session, state: "revoked", revokedAt: plane.clock.nowMs() });
    const acquired = (await plane.acquire(session.id)).body;
    expect(acquired).toMatchObject({ state: "revoked", endsInMs: HOUR_MS - 10, cursor: 1 });
  });

  it("a repeated revocation is 204 again, and nothing changes", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    const first = await shown(plane, session.id);
    plane.clock.advance(10);
    expect((await plane.call("DELETE", `/v1/sessions/${session.id}`)).status).toBe(204);
    expect(await shown(plane, session.id)).toEqual(first);
    expect((await plane.store.position()).cursor).toBe(1);
    expect(plane.logged().split('"action":"session-revoked"')).toHaveLength(2);
  });

  it("a revocation of a session that never was is 404", async () => {
    const plane = await startTestControlPlane();
    const { id } = sessionAt(plane.clock.nowMs());
    expectError(await plane.call("DELETE", `/v1/sessions/${id}`), "SESSION_NOT_FOUND");
    expectError(await plane.call("GET", `/v1/sessions/${id}`), "SESSION_NOT_FOUND");
    expect((await plane.store.position()).cursor).toBe(0);
  });

  it("a revoked session stays revoked also when it had expired and its lifetime grows", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.clock.advance(HOUR_MS);
    expect((await plane.call("DELETE", `/v1/sessions/${session.id}`)).status).toBe(204);
    plane.setPlans({ ...STARTER, lifetime: 3 * HOUR_MS });
    expect((await shown(plane, session.id)).state).toBe("revoked");
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "revoked" });
  });

  it("a revocation gives one line in the log, which says who revoked", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const before = plane.logged().length;
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    const lines = plane.logged().slice(before).trim().split("\n");
    const usual = lines.map((line) => JSON.parse(line) as { level: string }).filter(({ level }) => level !== "debug");
    expect(usual).toMatchObject([
      { event: "audit", action: "session-revoked", sessionId: session.id, actor: "operator:7bccd821" },
    ]);
  });

  it("a revocation counts once, with the session's duration", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.clock.advance(90_000);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_sessions_removed_total{reason="revoked"} 1');
    expect(text).toContain("sluice_control_session_duration_seconds_sum 90");
  });

  it("a revocation of something that is no session id is 400", async () => {
    const plane = await startTestControlPlane();
    for (const id of ["x", "0192f0c1-0000-4000-8000-000000000000", "0192F0C1-0000-7000-8000-00000000000A"]) {
      expectError(await plane.call("DELETE", `/v1/sessions/${id}`), "INVALID_REQUEST", "id");
      expectError(await plane.call("GET", `/v1/sessions/${id}`), "INVALID_REQUEST", "id");
    }
  });
});
