// maxSessionsPerUser: how many live sessions a user may have in a plan, and what becomes of one more.
import { describe, expect, it } from "vitest";

import { created, expectError, shown, startTestControlPlane } from "../../support/control-plane.js";
import { GRACE_MS } from "../../support/idle-plane.js";
import { HOUR_MS, METERED, STARTER } from "../../support/sessions.js";

const FIELDS = { userId: "u1", orgId: "o1" };
const REFUSING = { ...STARTER, maxSessionsPerUser: 2 };
const REPLACING = { ...REFUSING, onMaxSessions: "removeOldest" } as const;

describe("a user who has as many sessions as the plan allows", () => {
  it("a user at the limit gets 409, until a session has ended", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans(REFUSING);
    const { session } = await created(plane);
    await created(plane);
    expectError(await plane.call("POST", "/v1/sessions", FIELDS), "TOO_MANY_SESSIONS");
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    await created(plane);
    expectError(await plane.call("POST", "/v1/sessions", FIELDS), "TOO_MANY_SESSIONS");
    plane.clock.advance(HOUR_MS);
    await created(plane);
  });

  it("a user at the limit under removeOldest gets a session, and the oldest is revoked", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans(REPLACING);
    const all = [];
    for (let i = 0; i < 4; i++) {
      all.push((await created(plane)).session);
      plane.clock.advance(10);
    }
    const states = await Promise.all(all.map(async ({ id }) => (await shown(plane, id)).state));
    expect(states).toEqual(["revoked", "revoked", "live", "live"]);
    expect((await plane.store.position()).cursor).toBe(2);
    expect(plane.logged()).toContain('"reason":"replaced"');
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_sessions_removed_total{reason="replaced"} 2');
  });

  for (const backMs of [1, 1500, 120_000, HOUR_MS, 365 * 24 * HOUR_MS]) {
    it(`after the clock went back by ${backMs} ms the oldest is revoked, not the one just issued`, async () => {
      const plane = await startTestControlPlane();
      plane.setPlans({ ...REPLACING, lifetime: 9 * 365 * 24 * HOUR_MS });
      const { session: first } = await created(plane);
      plane.clock.step(-backMs);
      plane.ports.clock.nowMs();
      plane.clock.advance(GRACE_MS);
      const others = [];
      for (let i = 0; i < 3; i++) others.push((await created(plane)).session);
      const states = await Promise.all([first, ...others].map(async ({ id }) => (await shown(plane, id)).state));
      expect(states).toEqual(["revoked", "revoked", "live", "live"]);
    });
  }

  it("a session that came to the plan by a change has the place of its creation", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans({ ...REPLACING, maxSessionsPerUser: 3 }, METERED);
    const first = [await created(plane), await created(plane)];
    const changed = await created(plane, { plan: METERED.name });
    await plane.call("PATCH", `/v1/sessions/${changed.session.id}`, { plan: STARTER.name });
    // All of one millisecond.
    await created(plane);
    await created(plane);
    const states = [...first, changed].map(async ({ session }) => (await shown(plane, session.id)).state);
    expect(await Promise.all(states)).toEqual(["revoked", "revoked", "live"]);
  });

  it("a user at the limit may have sessions in another plan, and other users have theirs", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans(REFUSING, METERED);
    await created(plane);
    await created(plane);
    await created(plane, { plan: "metered" });
    await created(plane, { userId: "u2" });
  });

  it("creations at once do not exceed a user's limit", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans(REFUSING);
    const answers = await Promise.all(Array.from({ length: 30 }, () => plane.call("POST", "/v1/sessions", FIELDS)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    expect(await plane.store.countLive(STARTER.id, 0)).toBe(2);
  });

  it("creations at once under removeOldest leave the newest sessions", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans(REPLACING);
    await Promise.all(Array.from({ length: 30 }, () => created(plane)));
    expect(await plane.store.countLive(STARTER.id, 0)).toBe(2);
    expect((await plane.store.position()).cursor).toBe(28);
  });

  it("a lowered limit takes effect with the user's next session", async () => {
    const plane = await startTestControlPlane();
    for (let i = 0; i < 5; i++) await created(plane);
    plane.setPlans(REPLACING);
    await created(plane);
    expect(await plane.store.countLive(STARTER.id, 0)).toBe(2);
  });

  it("a change to a plan at the user's limit is 409", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans(REPLACING, METERED);
    await created(plane);
    await created(plane);
    const { session } = await created(plane, { plan: "metered" });
    const answer = await plane.call("PATCH", `/v1/sessions/${session.id}`, { plan: "starter" });
    expectError(answer, "TOO_MANY_SESSIONS");
    expect((await shown(plane, session.id)).plan).toBe("metered");
  });
});
