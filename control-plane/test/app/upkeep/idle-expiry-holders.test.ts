// Idle expiry while an instance of an edge holds the session: nobody may still have to tell of it.
import { describe, expect, it } from "vitest";

import { created, shown } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import {
  EDGE,
  GONE_MS,
  GRACE_MS,
  LIMIT_MS,
  MINUTE_MS,
  planeWithIdlePlan,
  settledPlane,
  stateAfterSweep,
} from "../../support/idle-plane.js";
import { HOUR_MS, STARTER } from "../../support/sessions.js";

describe("while an instance that holds the session", () => {
  /** Acquired, and idle past the limit as far as is known; then the instance does `then`, which takes a while. */
  async function held(report: (plane: TestControlPlane) => Promise<unknown>, waitMs: number): Promise<string> {
    const plane = await settledPlane();
    const { session } = await created(plane);
    await plane.acquire(session.id);
    const released = plane.ports.instances.watching(EDGE);
    plane.clock.advance(LIMIT_MS);
    await report(plane);
    plane.clock.advance(waitMs);
    const found = await stateAfterSweep(plane, session.id);
    released();
    return found;
  }

  it("is up to date, it ends", async () => {
    expect(await held((plane) => plane.report([]), GRACE_MS)).toBe("expired");
  });

  it("has not reported for longer than the grace, it does not end", async () => {
    expect(await held((plane) => plane.report([]), GRACE_MS + 1)).toBe("live");
  });

  it("has never reported, it does not end", async () => {
    expect(await held(() => Promise.resolve(), 1)).toBe("live");
  });

  it("says that there is more, it does not end, whatever another worker of it says after that", async () => {
    const both = async (plane: TestControlPlane) => {
      await plane.report([], { worker: "a", more: true });
      await plane.report([], { worker: "b" });
    };
    expect(await held(both, GRACE_MS)).toBe("live");
  });

  it("has a worker that has not reported for longer than the grace, it does not end, though another one has", async () => {
    const oneLags = async (plane: TestControlPlane) => {
      await plane.report([], { worker: "a" });
      plane.clock.advance(GRACE_MS + 1);
      await plane.report([], { worker: "b" });
    };
    expect(await held(oneLags, 0)).toBe("live");
  });

  it("has lost a worker for good, as by a reload, it ends once that one is gone", async () => {
    const lost = (silentMs: number) => async (plane: TestControlPlane) => {
      await plane.report([], { worker: "a" });
      plane.clock.advance(silentMs);
      await plane.report([], { worker: "b" });
    };
    expect(await held(lost(GONE_MS - 1), 0)).toBe("live");
    expect(await held(lost(GONE_MS), 0)).toBe("expired");
  });

  it("has a filter that does not say which worker reports, any report speaks for it", async () => {
    expect(await held((plane) => plane.report([], { worker: undefined }), GRACE_MS)).toBe("expired");
  });

  it("is behind, it does not end for another edge that asks either", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    await plane.acquire(session.id);
    plane.ports.instances.watching(EDGE);
    plane.clock.advance(LIMIT_MS + 1);
    const answer = await plane.acquire(session.id, { edge: "gw-2" });
    expect(answer.body).toMatchObject({ state: "live" });
  });

  it("is gone, it ends; and the instance hears of it once it reports again", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    await plane.acquire(session.id);
    await plane.report([[session.id, 1, 1, 0, 0]]);
    plane.clock.advance(LIMIT_MS + 1);
    expect(await stateAfterSweep(plane, session.id)).toBe("expired");
    const late = await plane.report([[session.id, 2, 3, 0, 1000]]);
    expect(late.body).toMatchObject({ refresh: [session.id] });
    expect((await shown(plane, session.id)).tokens.consumed).toBe(3);
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "expired" });
  });

  it("is silent, it does not end until that instance is gone", async () => {
    const plane = await planeWithIdlePlan();
    plane.setPlans({ ...STARTER, maxAge: MINUTE_MS });
    plane.clock.advance(HOUR_MS);
    const { session } = await created(plane);
    await plane.acquire(session.id);
    await plane.report([]);
    plane.clock.advance(GONE_MS - 1);
    expect(await stateAfterSweep(plane, session.id)).toBe("live");
    plane.clock.advance(1);
    expect(await stateAfterSweep(plane, session.id)).toBe("expired");
  });
});
