// Idle expiry while an instance of an edge holds the session: no instance may still have to report it.
import { describe, expect, it, vi } from "vitest";

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

describe("a session that an instance holds", () => {
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

  it("an idle session ends while its instance is up to date", async () => {
    expect(await held((plane) => plane.report([]), GRACE_MS)).toBe("expired");
  });

  it("an idle session stays while its instance has not reported for longer than the grace", async () => {
    expect(await held((plane) => plane.report([]), GRACE_MS + 1)).toBe("live");
  });

  it("an idle session stays while its instance has never reported", async () => {
    expect(await held(() => Promise.resolve(), 1)).toBe("live");
  });

  it("an idle session stays while a worker of its instance says that there is more", async () => {
    const both = async (plane: TestControlPlane) => {
      await plane.report([], { worker: "a", more: true });
      await plane.report([], { worker: "b" });
    };
    expect(await held(both, GRACE_MS)).toBe("live");
  });

  it("an idle session stays while one worker of its instance is late and another is not", async () => {
    const oneLags = async (plane: TestControlPlane) => {
      await plane.report([], { worker: "a" });
      plane.clock.advance(GRACE_MS + 1);
      await plane.report([], { worker: "b" });
    };
    expect(await held(oneLags, 0)).toBe("live");
  });

  it("an idle session ends once a worker that its instance lost is gone", async () => {
    const lost = (silentMs: number) => async (plane: TestControlPlane) => {
      await plane.report([], { worker: "a" });
      plane.clock.advance(silentMs);
      await plane.report([], { worker: "b" });
    };
    expect(await held(lost(GONE_MS - 1), 0)).toBe("live");
    expect(await held(lost(GONE_MS), 0)).toBe("expired");
  });

  it("any report counts for an instance whose filter does not name the worker", async () => {
    expect(await held((plane) => plane.report([], { worker: undefined }), GRACE_MS)).toBe("expired");
  });

  it("an idle session stays for an edge that asks, while another that holds it is behind", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    await plane.acquire(session.id);
    plane.ports.instances.watching(EDGE);
    plane.clock.advance(LIMIT_MS + 1);
    const answer = await plane.acquire(session.id, { edge: "gw-2" });
    expect(answer.body).toMatchObject({ state: "live" });
  });

  it("an idle session ends once its instance is gone, which then learns of it by a report", async () => {
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

  it("an idle session stays while its instance is silent, until that is gone", async () => {
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

describe("an acquire of sessions past their idle limit", () => {
  it("an acquire looks at those that hold its sessions, however many other instances there are", async () => {
    const plane = await settledPlane();
    const ids: string[] = [];
    for (let i = 0; i < 8; i++) ids.push((await created(plane)).session.id);
    plane.clock.advance(LIMIT_MS + 1);
    for (let i = 0; i < 1000; i++) plane.instances.acquired({ edge: `gw-${i}`, instance: "f".repeat(16) });
    const looked = vi.spyOn(plane.ports.instances, "status");
    await plane.acquire(ids[0] ?? "", { others: ids.slice(1).map((session) => ({ session })) });
    expect(looked.mock.calls.length).toBeLessThanOrEqual(ids.length);
  });

  it.each([
    ["stays while an instance that holds it is behind", 0, "live"],
    ["ends once no instance that holds it is behind", GONE_MS, "expired"],
  ])("asked for past its limit, a session %s", async (_, waitMs, state) => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS - MINUTE_MS);
    await plane.acquire(session.id);
    plane.clock.advance(LIMIT_MS - MINUTE_MS);
    plane.instances.acquired(EDGE);
    plane.clock.advance(MINUTE_MS + waitMs + 1);
    const { body } = await plane.acquire(session.id, { edge: "gw-2" });
    expect(body).toMatchObject({ state });
  });
});
