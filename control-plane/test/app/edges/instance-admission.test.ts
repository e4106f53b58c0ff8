// New instances of edges: bounded in rate by edge and for new names, and bounded in number by edge.
import { describe, expect, it } from "vitest";

import { InstanceAdmission } from "../../../src/app/edges/status/instance-admission.js";
import { created, expectError, KEYS, startTestControlPlane } from "../../support/control-plane.js";
import type { Answer, TestControlPlane } from "../../support/control-plane.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { sessionAt } from "../../support/sessions.js";

const instance = (i: number): string => i.toString(16).padStart(16, "0");
const ID = sessionAt(0).id;

const acquire = (plane: TestControlPlane, edge: string, i: number): Promise<Answer> =>
  plane.acquire(ID, { edge, instance: instance(i) });

/** How many of so many new instances get in, each with one call. */
async function admitted(
  plane: TestControlPlane,
  count: number,
  edgeOf: (i: number) => string,
  from = 0,
): Promise<number> {
  const calls = Array.from({ length: count }, (_, i) => acquire(plane, edgeOf(i + from), i + from));
  return (await Promise.all(calls)).filter(({ status }) => status === 200).length;
}

describe("an edge that makes one instance after the other", () => {
  it("an instance past the edge's rate gets 429 with Retry-After on each call, and is counted", async () => {
    const plane = await startTestControlPlane();
    expect(await admitted(plane, 300, () => "gw-1")).toBe(256);
    const denied = await acquire(plane, "gw-1", 1000);
    expectError(denied, "TOO_MANY_REQUESTS");
    expect(denied.headers.get("retry-after")).toBe("1");
    expectError(await plane.report([], { instance: instance(1001) }), "TOO_MANY_REQUESTS");
    const watch = { edge: "gw-1", instance: instance(1002), since: 0 };
    expectError(await plane.call("POST", "/edge/v1/watch", watch, KEYS.edgeCredential), "TOO_MANY_REQUESTS");
    const { text } = await plane.status("/metrics");
    expect(text).toContain("sluice_control_edge_instances_denied_total 47");
    expect(plane.logged().match(/edge-instances-denied/g)).toHaveLength(1);
  });

  it("an Envoy that crashes each second gets in each time, and the edge keeps few of its lives", async () => {
    const plane = await startTestControlPlane();
    for (let life = 0; life < 280; life++) {
      expect((await acquire(plane, "gw-1", life)).status).toBe(200);
      plane.clock.advance(1000);
    }
    const { body } = await plane.call("GET", "/v1/edges");
    const [edge] = (body as { edges: { instances: { instance: string }[]; instancesLeftOut: number }[] }).edges;
    expect([edge?.instances.length, edge?.instancesLeftOut]).toEqual([64, 192]);
    expect(edge?.instances.at(-1)?.instance).toBe(instance(279));
  });

  it("an instance that is known is never denied, whatever its edge makes beside it", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await plane.acquire(session.id);
    await admitted(plane, 300, () => "gw-1", 1);
    for (let i = 0; i < 20; i++) expect((await plane.acquire(session.id)).status).toBe(200);
  });

  it("an instance that was forgotten is a new one, and its return counts against the edge's rate", () => {
    const known = new Set<string>();
    const clock = new FixedClock(0);
    const instances = { knows: ({ instance: one }: { instance: string }) => known.has(one), knowsEdge: () => true };
    const ignore = (): void => undefined;
    const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    const admission = new InstanceAdmission({ clock, logger, instances, denied: () => undefined });
    const take = (i: number): number => admission.take({ edge: "gw-1", instance: instance(i) });
    for (let i = 0; i < 256; i++) expect(take(i)).toBe(0);
    known.add(instance(0));
    expect(take(0)).toBe(0);
    known.clear();
    expect(take(0)).toBeGreaterThan(0);
  });

  it("an instance that watches is kept, and former lives that do not are forgotten first", async () => {
    const plane = await startTestControlPlane();
    const released = plane.instances.watching({ edge: "gw-1", instance: instance(1) });
    plane.clock.advance(60_000);
    await admitted(plane, 256, () => "gw-1", 100);
    expect(plane.instances.knows({ edge: "gw-1", instance: instance(1) })).toBe(true);
    released();
  });
});

describe("a credential that makes up edges", () => {
  it("new names are bounded, and an edge that was there gets in beside them with a new life", async () => {
    const plane = await startTestControlPlane();
    await acquire(plane, "gw-1", 1);
    let got = 0;
    for (let start = 0; start < 3000; start += 500) got += await admitted(plane, 500, (i) => `made-up-${i}`, start);
    expect(got).toBe(1999);
    expectError(await acquire(plane, "made-up", 9999), "TOO_MANY_REQUESTS");
    expect((await acquire(plane, "gw-1", 2)).status).toBe(200);
    plane.clock.advance(1000);
    expect(await admitted(plane, 100, (i) => `later-${i}`)).toBe(20);
  });

  it("a thousand Envoys that start at once all get in, with several calls each", async () => {
    const plane = await startTestControlPlane();
    for (let start = 0; start < 1000; start += 250) {
      expect(await admitted(plane, 250, (i) => `gw-${i}`, start)).toBe(250);
      expect(await admitted(plane, 250, (i) => `gw-${i}`, start)).toBe(250);
    }
  });
});
