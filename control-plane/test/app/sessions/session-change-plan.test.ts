// Moving a session to another plan: PATCH /v1/sessions/:id.
import { describe, expect, it } from "vitest";

import { created, expectError, shown, startTestControlPlane } from "../../support/control-plane.js";
import { HOUR_MS, METERED, sessionAt, STARTER } from "../../support/sessions.js";

describe("a session that gets another plan", () => {
  it("a new plan is in force at once, and an invalidation makes edges ask", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const answer = await plane.call("PATCH", `/v1/sessions/${session.id}`, { plan: "metered" });
    expect(answer.status).toBe(200);
    const changed = { ...session, plan: "metered", tokens: { issued: 5000, consumed: 0, budget: 5000 } };
    expect(answer.body).toEqual({ session: changed });
    expect(await shown(plane, session.id)).toEqual(changed);
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "live", plan: METERED.id, cursor: 1 });
    expect(await plane.store.countLive(STARTER.id, 0)).toBe(0);
    expect(await plane.store.countLive(METERED.id, 0)).toBe(1);
  });

  it("a change of plan while no policy is loaded is 503, and changes nothing", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.setPlans();
    expectError(await plane.call("PATCH", `/v1/sessions/${session.id}`, { plan: "metered" }), "NO_POLICY");
    expect((await plane.store.find(session.id))?.plan.name).toBe("starter");
  });

  it("a session that has the plan already stays as it is, and edges need not ask", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const answer = await plane.call("PATCH", `/v1/sessions/${session.id}`, { plan: "starter" });
    expect(answer.body).toEqual({ session });
    expect((await plane.store.position()).cursor).toBe(0);
    expect(plane.logged()).not.toContain("plan-changed");
  });

  it("a session counts in the limit of its new plan, and no longer in that of the old", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans({ ...STARTER, maxSessionsPerUser: 1 }, METERED);
    const { session } = await created(plane);
    await plane.call("PATCH", `/v1/sessions/${session.id}`, { plan: "metered" });
    await created(plane);
  });

  it("an ended session keeps its plan, and the answer is 409", async () => {
    const plane = await startTestControlPlane();
    const [{ session: revoked }, { session: expired }] = [await created(plane), await created(plane)];
    await plane.call("DELETE", `/v1/sessions/${revoked.id}`);
    expectError(await plane.call("PATCH", `/v1/sessions/${revoked.id}`, { plan: "metered" }), "SESSION_ENDED");
    plane.clock.advance(HOUR_MS);
    expectError(await plane.call("PATCH", `/v1/sessions/${expired.id}`, { plan: "metered" }), "SESSION_ENDED");
  });

  it("a change of plan needs a plan that is there, and a session that is there", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const path = `/v1/sessions/${session.id}`;
    const said = expectError(await plane.call("PATCH", path, { plan: "gold" }), "UNKNOWN_PLAN", "plan");
    expect(said).toBe("plan is unknown: expected one of starter, metered");
    expectError(await plane.call("PATCH", path, {}), "INVALID_REQUEST", "plan");
    expectError(await plane.call("PATCH", path, { plan: "metered", userId: "u2" }), "INVALID_REQUEST", "userId");
    const { id } = sessionAt(plane.clock.nowMs());
    expectError(await plane.call("PATCH", `/v1/sessions/${id}`, { plan: "metered" }), "SESSION_NOT_FOUND");
  });
});
