// What an operator sees of an edge beside its status: its workers, the silent ones, and its lag.
import { describe, expect, it } from "vitest";

import { EdgeRegistry } from "../../../src/app/edges/status/edge-registry.js";
import { MAX_INSTANCES_OF_AN_EDGE } from "../../../src/app/edges/status/registry-entries.js";
import { GONE_AFTER_MS } from "../../../src/app/edges/status/workers.js";
import { edgesPage } from "../../../src/app/edges/status/edge-pages.js";
import { INSTANCE } from "../../support/control-plane.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { MemoryLog } from "../../../src/store/memory/invalidation-log.js";
import { PoliciesInForce } from "../../support/policies-in-force.js";
import { oneEdge, REPORT_MS, WINDOW_MS } from "../../support/one-edge.js";
import { POLICY, received } from "../../support/watching.js";

/** As many instances as are remembered. Each copied for each would take a minute. */
const MANY = 65_536;
const OTHER_LOG = "f".repeat(16);

describe("a silent worker", () => {
  it("a worker is silent once it has not reported within the window", async () => {
    const { says, view, pass, reports } = oneEdge();
    await says();
    await pass(2 * WINDOW_MS, "a", "b", "c");
    expect((await view())?.silentWorkers).toBe(0);
    await pass(WINDOW_MS, "a", "b");
    expect((await view())?.silentWorkers).toBe(0);
    await pass(REPORT_MS, "a", "b");
    expect((await view())?.silentWorkers).toBe(1);
    reports("c");
    expect((await view())?.silentWorkers).toBe(0);
  });

  it("a reloaded VM that goes on under another id is no silent worker", async () => {
    const { says, view, pass } = oneEdge();
    await says();
    await pass(2 * WINDOW_MS, "a", "b");
    for (let reloads = 0; reloads < 20; reloads++) {
      await pass(REPORT_MS * (1 + (reloads % 5)), "a", `b${reloads}`);
      expect((await view())?.silentWorkers, `after reload ${reloads}`).toBe(0);
    }
    await pass(3 * WINDOW_MS, "a", "b19");
    expect((await view())?.silentWorkers).toBe(0);
    await pass(WINDOW_MS + REPORT_MS, "a");
    expect((await view())?.silentWorkers).toBe(1);
  });

  it("an Envoy between two watches still watches for 5 s", () => {
    const clock = new FixedClock();
    const registry = new EdgeRegistry({ clock, policies: new PoliciesInForce(clock, POLICY) });
    const instance = { edge: "gw-1", instance: INSTANCE };
    const watches = (): boolean | undefined => registry.statusToStore(instance, false)?.status.watching;
    registry.acquired(instance);
    const ended = registry.watching(instance);
    ended();
    clock.advance(5000);
    expect(watches()).toBe(true);
    clock.advance(1);
    expect(watches()).toBe(false);
  });

  it("an Envoy that ends leaves no silent workers", async () => {
    const { says, view, pass, watches, clock } = oneEdge();
    await says();
    await pass(2 * WINDOW_MS, "a", "b");
    await pass(REPORT_MS, "b");
    await watches.stop();
    for (let ms = 0; ms < GONE_AFTER_MS; ms += 1000) {
      clock.advance(1000);
      expect((await view())?.silentWorkers ?? 0).toBe(0);
    }
  });

  it("a worker is not silent while it reports in the rhythm of a slower policy", async () => {
    const { says, view, policies, instances, clock, reports } = oneEdge();
    const slow = { ...POLICY, controlPlane: { reportInterval: 60_000 } };
    policies.put({ generation: 2, policy: slow });
    await says({ policy: received(2) });
    for (let minutes = 0; minutes < 6; minutes++) {
      for (const worker of ["a", "b"]) reports(worker);
      clock.advance(60_000);
    }
    expect(instances.windowMs()).toBe(130_000);
    policies.put({ generation: 3, policy: POLICY });
    await says({ policy: received(3) });
    expect([instances.windowMs(), (await view())?.silentWorkers]).toEqual([130_000, 0]);
    for (const worker of ["a", "b"]) reports(worker);
    clock.advance(WINDOW_MS);
    expect([instances.windowMs(), (await view())?.silentWorkers]).toEqual([WINDOW_MS, 0]);
    clock.advance(1);
    expect((await view())?.silentWorkers).toBe(2);
  });
});

describe("the list of edges", () => {
  it("the list of edges shows each worker with what it runs and its last report", async () => {
    const { says, reports, inForce, view, clock } = oneEdge();
    await says();
    reports("a");
    const { generation, hash } = inForce();
    const worker = { worker: "a", source: "control-plane", generation, hash, build: "b".repeat(16) };
    expect((await view())?.instances[0]?.workers).toEqual([{ ...worker, lastReportAt: clock.nowMs() }]);
  });

  it("the list counts workers within the window, and forgets one that was replaced long ago", async () => {
    const { says, reports, view, clock } = oneEdge();
    await says();
    reports("replaced");
    clock.advance(WINDOW_MS + 1);
    reports("a");
    expect(await view()).toMatchObject({ running: { 1: 1 }, instances: [{ workers: [{}, {}] }] });
    clock.advance(GONE_AFTER_MS - WINDOW_MS - 1);
    reports("a");
    expect((await view())?.instances[0]?.workers.map(({ worker }) => worker)).toEqual(["a"]);
  });

  it("an edge that has made more instances than are kept is listed with the latest", async () => {
    const clock = new FixedClock();
    const policies = new PoliciesInForce(clock, POLICY);
    const instances = new EdgeRegistry({ clock, policies });
    for (let i = 0; i < MANY; i++) {
      instances.acquired({ edge: "gw-1", instance: i.toString(16).padStart(16, "0") });
    }
    const { edges } = await edgesPage({ instances, policies, log: new MemoryLog(), clock }, "", 10);
    const [shown] = edges;
    expect(edges.map(({ edge }) => edge)).toEqual(["gw-1"]);
    expect([shown?.instances.length, shown?.instancesLeftOut]).toEqual([64, MAX_INSTANCES_OF_AN_EDGE - 64]);
    expect(shown?.instances.at(-1)?.instance).toBe((MANY - 1).toString(16).padStart(16, "0"));
  });
});

describe("an edge's lag", () => {
  it("an edge's lag is what its table is not marked for, of the log that it follows", async () => {
    const { log, view, says } = oneEdge();
    await says();
    expect((await view())?.lag).toBe(0);
    log.append("revoked", "a", 0);
    log.append("refresh", "b", 0);
    await says();
    expect((await view())?.instances).toMatchObject([{ lag: 2 }]);
  });

  it("the lag of an edge that follows another log is unknown", async () => {
    const { view, says, instances } = oneEdge();
    instances.acquired({ edge: "gw-1", instance: INSTANCE });
    await says({ log: OTHER_LOG });
    expect(await view()).toMatchObject({ edge: "gw-1", lag: null });
  });
});
