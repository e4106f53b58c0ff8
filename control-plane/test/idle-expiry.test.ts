// Idle expiry over many edges: a session ends when it was idle for too long, and nobody may still have to tell of it.
import { describe, expect, it } from "vitest";

import { EdgeInstances } from "../src/app/edge-instances.js";
import { sweepSessions } from "../src/app/sweep-sessions.js";
import { graceMs } from "../src/domain/idleness.js";
import { created, INSTANCE, shown, startTestControlPlane } from "./support/control-plane.js";
import type { TestControlPlane } from "./support/control-plane.js";
import { HOUR_MS, METERED, REPORTING, STARTER } from "./support/sessions.js";

const MINUTE_MS = 60_000;
const MAX_AGE_MS = 10 * MINUTE_MS;
/** 2 × reportInterval (5 s) and one sweep round (10 s). */
const GRACE_MS = 20_000;
const LIMIT_MS = MAX_AGE_MS + GRACE_MS;
const GONE_MS = 5 * MINUTE_MS;
const EDGE = { edge: "gw-1", instance: INSTANCE };

async function planeWithIdlePlan(): Promise<TestControlPlane> {
  const plane = await startTestControlPlane();
  plane.setPlans({ ...STARTER, maxAge: MAX_AGE_MS }, METERED);
  return plane;
}

/** A control plane that has been listening for as long as a session must be idle. */
async function settledPlane(): Promise<TestControlPlane> {
  const plane = await planeWithIdlePlan();
  plane.clock.advance(HOUR_MS);
  return plane;
}

const sweep = (plane: TestControlPlane) => sweepSessions(plane.ports, () => false);

async function state(plane: TestControlPlane, id: string): Promise<string> {
  await sweep(plane);
  return (await shown(plane, id)).state;
}

describe("a session that nobody uses", () => {
  it("is live for maxAge and the grace, and has ended after that", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS);
    expect(await state(plane, session.id)).toBe("live");
    plane.clock.advance(1);
    expect(await state(plane, session.id)).toBe("expired");
  });

  it("has ended for good: neither an edge that asks nor a longer maxAge brings it back", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS + 1);
    await sweep(plane);
    plane.setPlans({ ...STARTER, maxAge: 5 * HOUR_MS, lifetime: 9 * HOUR_MS });
    const answer = await plane.acquire(session.id);
    expect(answer.body).toMatchObject({ state: "expired", endsInMs: 9 * HOUR_MS - LIMIT_MS - 1 });
    expect(await state(plane, session.id)).toBe("expired");
  });

  it("is counted as removed once, also when it is revoked after that", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS + 1);
    await sweep(plane);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    const { text } = await plane.call("GET", "/metrics");
    expect(text).toContain('sluice_control_sessions_removed_total{reason="idle"} 1');
    expect(text).not.toContain('sluice_control_sessions_removed_total{reason="revoked"} 1');
    expect(text).toContain("sluice_control_session_duration_seconds_count 1");
  });

  it("has ended for an edge that asks before the sweep comes", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS + 1);
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "expired" });
    expect((await shown(plane, session.id)).state).toBe("expired");
    expect(plane.logged()).toContain(`"sessionId":"${session.id}","reason":"idle"`);
    expect((await sweep(plane))?.removed).toBe(0);
  });

  it("never enters the log of withdrawals by that", async () => {
    const plane = await settledPlane();
    await created(plane);
    plane.clock.advance(LIMIT_MS + 1);
    expect((await sweep(plane))?.removed).toBe(1);
    expect((await plane.store.position()).cursor).toBe(0);
  });
});

describe("a session that is used", () => {
  it("lives on by being acquired", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS);
    expect((await plane.acquire(session.id)).body).toMatchObject({ state: "live" });
    await plane.report([]);
    plane.clock.advance(1);
    expect(await state(plane, session.id)).toBe("live");
  });

  it("lives on by what is reported, as of when it was active there", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS);
    await plane.report([[session.id, 1, 1, 0, 60_000]]);
    plane.clock.advance(MINUTE_MS);
    await plane.report([]);
    expect(await state(plane, session.id)).toBe("live");
    plane.clock.advance(LIMIT_MS - 2 * MINUTE_MS);
    await plane.report([]);
    expect(await state(plane, session.id)).toBe("live");
    plane.clock.advance(1);
    await plane.report([]);
    expect(await state(plane, session.id)).toBe("expired");
  });

  it("does not live on by a spent budget, or by backends that consume", async () => {
    const plane = await settledPlane();
    plane.setPlans({ ...METERED, maxAge: MAX_AGE_MS });
    const { session } = await created(plane, { plan: "metered" });
    plane.clock.advance(LIMIT_MS);
    await plane.call("POST", `/v1/sessions/${session.id}/consume`, { count: 1 });
    plane.clock.advance(1);
    expect(await state(plane, session.id)).toBe("expired");
  });
});

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
    const found = await state(plane, session.id);
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
    expect(await state(plane, session.id)).toBe("expired");
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
    expect(await state(plane, session.id)).toBe("live");
    plane.clock.advance(1);
    expect(await state(plane, session.id)).toBe("expired");
  });
});

describe("after the control plane's own start", () => {
  it("idle time counts anew: what edges did while it was down is not known", async () => {
    const plane = await settledPlane();
    const { session } = await created(plane);
    plane.clock.advance(LIMIT_MS + 1);
    const restarted = { ...plane.ports, instances: new EdgeInstances(plane.clock) };
    expect((await sweepSessions(restarted, () => false))?.removed).toBe(0);
    plane.clock.advance(LIMIT_MS);
    expect((await sweepSessions(restarted, () => false))?.removed).toBe(0);
    plane.clock.advance(1);
    expect((await sweepSessions(restarted, () => false))?.removed).toBe(1);
    expect((await shown(plane, session.id)).state).toBe("expired");
  });

  it("an instance of which nothing was heard yet counts as behind until it would be gone", async () => {
    const plane = await planeWithIdlePlan();
    plane.setPlans({ ...STARTER, maxAge: MINUTE_MS });
    const { session } = await created(plane);
    await plane.acquire(session.id);
    const restarted = { ...plane.ports, instances: new EdgeInstances(plane.clock) };
    plane.clock.advance(GONE_MS - 1);
    expect((await sweepSessions(restarted, () => false))?.removed).toBe(0);
    plane.clock.advance(1);
    expect((await sweepSessions(restarted, () => false))?.removed).toBe(1);
  });
});

describe("instances of edges", () => {
  /** How a worker of the edge reports now. */
  const workersOf =
    ({ clock, ports }: TestControlPlane) =>
    (worker: string): void => {
      ports.instances.reported(EDGE, { worker, more: false, arrivedAtMs: clock.monotonicMs() });
    };

  it("that report seldom, as their policy wants it, are current between two reports, and behind once a worker lags", async () => {
    const plane = await settledPlane();
    const { clock, ports } = plane;
    const report = workersOf(plane);
    const rare = graceMs({ ...REPORTING, plans: [], controlPlane: { reportInterval: 10 * MINUTE_MS } });
    ports.instances.watching(EDGE);
    report("a");
    clock.advance(10 * MINUTE_MS - 1);
    expect(ports.instances.standing(EDGE, rare)).toBe("current");
    clock.advance(rare);
    report("b");
    expect(ports.instances.standing(EDGE, rare)).toBe("behind");
    clock.advance(rare);
    expect(ports.instances.standing(EDGE, rare)).toBe("current");
  });

  it("forget a worker that counts under no policy any more, at the next report of another", async () => {
    const plane = await settledPlane();
    const { clock, ports } = plane;
    const report = workersOf(plane);
    ports.instances.watching(EDGE);
    report("reloaded");
    clock.advance(HOUR_MS - 1);
    report("kept");
    expect(ports.instances.standing(EDGE, HOUR_MS - 2)).toBe("behind");
    clock.advance(1);
    report("kept");
    expect(ports.instances.standing(EDGE, HOUR_MS - 2)).toBe("current");
  });

  it("have a bounded number of workers: those silent for longest are forgotten", async () => {
    const plane = await settledPlane();
    const { instances } = plane.ports;
    const report = workersOf(plane);
    report("lags");
    plane.clock.advance(GRACE_MS + 1);
    for (let i = 0; i < 127; i++) report(`w${i}`);
    expect(instances.standing(EDGE, GRACE_MS)).toBe("behind");
    report("w127");
    expect(instances.standing(EDGE, GRACE_MS)).toBe("current");
  });

  it("are forgotten once they are gone, but not those that watch", async () => {
    const plane = await settledPlane();
    const { instances } = plane.ports;
    instances.acquired({ edge: "gw-1", instance: INSTANCE });
    const released = instances.watching({ edge: "gw-2", instance: INSTANCE });
    plane.clock.advance(GONE_MS);
    await sweep(plane);
    expect(instances.known(GRACE_MS)).toMatchObject([
      { edge: "gw-2", watching: true, silentMs: GONE_MS, reportAgeMs: null },
    ]);
    released();
    expect(instances.known(GRACE_MS)).toMatchObject([{ watching: false, silentMs: 0 }]);
    plane.clock.advance(GONE_MS);
    await sweep(plane);
    expect(instances.known(GRACE_MS)).toEqual([]);
  });

  it("are bounded in number: those silent for longest go first", async () => {
    const plane = await settledPlane();
    const { instances } = plane.ports;
    for (let i = 0; i <= 65_536; i++) instances.acquired({ edge: `gw-${i}`, instance: INSTANCE });
    const known = instances.known(GRACE_MS);
    expect([known.length, known[0]?.edge]).toEqual([65_536, "gw-1"]);
  });
});
