// Session expiration: by the lifetime of its plan, as the policy has it at present.
import { describe, expect, it } from "vitest";

import { created, shown, startTestControlPlane } from "../../support/control-plane.js";
import { HOUR_MS, METERED, STARTER } from "../../support/sessions.js";

describe("session expiration by lifetime", () => {
  it("a session is live until its end and expired after it, for operators and edges alike", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.clock.advance(HOUR_MS - 1);
    expect((await shown(plane, session.id)).state).toBe("live");
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "live", endsInMs: 1 });
    plane.clock.advance(1);
    expect((await shown(plane, session.id)).state).toBe("expired");
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "expired", endsInMs: 0 });
  });

  it("a session's end follows the plan's present lifetime, not the one at creation", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.setPlans({ ...STARTER, lifetime: 2 * HOUR_MS });
    expect((await shown(plane, session.id)).endsAt).toBe(session.createdAt + 2 * HOUR_MS);
    plane.clock.advance(1000);
    plane.setPlans({ ...STARTER, lifetime: 500 });
    expect((await shown(plane, session.id)).state).toBe("expired");
  });

  it("an acquire of an expired session does not count as activity", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.clock.advance(HOUR_MS);
    await plane.acquire(session.id);
    expect((await shown(plane, session.id)).lastActivity).toBe(session.lastActivity);
  });

  it("a session whose plan the policy lost ends by its lifetime at creation, under its old name", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.setPlans(METERED);
    expect(await shown(plane, session.id)).toMatchObject({ plan: "starter", state: "live", endsAt: session.endsAt });
    plane.clock.advance(HOUR_MS);
    expect((await shown(plane, session.id)).state).toBe("expired");
  });

  it("a session shows the new name of a plan that was renamed", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.setPlans({ ...STARTER, name: "basic" });
    expect((await shown(plane, session.id)).plan).toBe("basic");
  });
});
