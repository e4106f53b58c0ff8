// Instances of edges: whether each has reported all that it knows, and how many are remembered.
import { describe, expect, it } from "vitest";

import { graceMs } from "../../../src/domain/idleness.js";
import { INSTANCE } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { EDGE, GONE_MS, GRACE_MS, MINUTE_MS, settledPlane, sweep } from "../../support/idle-plane.js";
import { HOUR_MS, REPORTING } from "../../support/sessions.js";

describe("instances of edges", () => {
  /** How a worker of the edge reports now. */
  const workersOf =
    ({ clock, ports }: TestControlPlane) =>
    (worker: string): void => {
      ports.instances.reported(EDGE, { worker, more: false, arrivedAtMs: clock.monotonicMs() });
    };

  it("an instance that reports seldom is current between reports, and behind once a worker lags", async () => {
    const plane = await settledPlane();
    const { clock, ports } = plane;
    const report = workersOf(plane);
    const rare = graceMs({ ...REPORTING, plans: [], controlPlane: { reportInterval: 10 * MINUTE_MS } });
    ports.instances.watching(EDGE);
    report("a");
    clock.advance(10 * MINUTE_MS - 1);
    expect(ports.instances.status(EDGE, rare)).toBe("current");
    clock.advance(rare);
    report("b");
    expect(ports.instances.status(EDGE, rare)).toBe("behind");
    clock.advance(rare);
    expect(ports.instances.status(EDGE, rare)).toBe("current");
  });

  it("a worker that no longer counts is forgotten with the next report of another", async () => {
    const plane = await settledPlane();
    const { clock, ports } = plane;
    const report = workersOf(plane);
    ports.instances.watching(EDGE);
    report("reloaded");
    clock.advance(HOUR_MS - 1);
    report("kept");
    expect(ports.instances.status(EDGE, HOUR_MS - 2)).toBe("behind");
    clock.advance(1);
    report("kept");
    expect(ports.instances.status(EDGE, HOUR_MS - 2)).toBe("current");
  });

  it("an instance has a bounded number of workers: the longest silent are forgotten", async () => {
    const plane = await settledPlane();
    const { instances } = plane.ports;
    const report = workersOf(plane);
    report("lags");
    plane.clock.advance(GRACE_MS + 1);
    for (let i = 0; i < 127; i++) report(`w${i}`);
    expect(instances.status(EDGE, GRACE_MS)).toBe("behind");
    report("w127");
    expect(instances.status(EDGE, GRACE_MS)).toBe("current");
  });

  it("an instance that is gone is not listed, also before a sweep forgets it", async () => {
    const plane = await settledPlane();
    const { instances } = plane.ports;
    instances.acquired({ edge: "gw-1", instance: INSTANCE });
    plane.clock.advance(GONE_MS - 1);
    expect(instances.known(GRACE_MS)).toHaveLength(1);
    plane.clock.advance(1);
    expect(instances.known(GRACE_MS)).toEqual([]);
  });

  it("an instance that is gone is forgotten, but not one that watches", async () => {
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

  it("instances are bounded in number: the longest silent are forgotten", async () => {
    const plane = await settledPlane();
    const { instances } = plane.ports;
    for (let i = 0; i <= 65_536; i++) instances.acquired({ edge: `gw-${i}`, instance: INSTANCE });
    const known = instances.known(GRACE_MS);
    expect([known.length, known[0]?.edge]).toEqual([65_536, "gw-1"]);
  });
});
