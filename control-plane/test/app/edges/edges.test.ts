// The state of an edge as an operator sees it, by what the edge says with its watches and its workers with their reports.
import { describe, expect, it } from "vitest";

import { EdgeRegistry } from "../../../src/app/edges/status/edge-registry.js";
import { GONE_AFTER_MS } from "../../../src/app/edges/status/workers.js";
import type { WorkerPolicy } from "../../../src/app/ports/edge-ports.js";
import { edgesNow } from "../../../src/app/edges/status/edge-views.js";
import type { EdgeView } from "../../../src/app/edges/status/edge-views.js";
import { INSTANCE } from "../../support/control-plane.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { MemoryLog } from "../../../src/store/memory/invalidation-log.js";
import { PoliciesInForce } from "../../support/policies-in-force.js";
import { received, nobodyHangsUp, POLICY, request, settled, watchingMemory } from "../../support/watching.js";

/** Twice the reportInterval of the policy of tests, 5 s, and 10 s. */
const WINDOW_MS = 20_000;
const REPORT_MS = 5_000;
/** As many instances as are remembered. Each copied for each would take a minute. */
const MANY = 65_536;
const RESTARTED = "ffeeddccbbaa9988";
const OTHER_LOG = "f".repeat(16);

/** An edge `gw-1` that says what a test lets it say. Generation 1 has been in force for as long as anyone looks back. */
function oneEdge() {
  const scene = watchingMemory();
  const { watches, instances, policies, clock, timers, log } = scene;
  clock.advance(10 * GONE_AFTER_MS);
  const view = async (): Promise<EdgeView | undefined> => (await edgesNow({ instances, policies, log, clock }))[0];
  const state = async (): Promise<string | undefined> => (await view())?.state;
  let saidLast: Parameters<typeof request>[0];
  const says = async (fields: Parameters<typeof request>[0] = {}): Promise<void> => {
    saidLast = fields;
    void watches.watch(request(fields), nobodyHangsUp());
    await settled();
  };
  /** What is in force, as a worker that runs it says. */
  const inForce = (): WorkerPolicy => {
    const { generation = 0, hash } = policies.published("gw-1") ?? {};
    return { source: "control-plane", generation, hash };
  };
  const reports = (worker: string, policy: WorkerPolicy | undefined = inForce(), instance = INSTANCE): void => {
    instances.reported(
      { edge: "gw-1", instance },
      { worker, more: false, arrivedAtMs: clock.monotonicMs(), build: "b".repeat(16), policy },
    );
  };
  const save = (generation: number): void => {
    const [plan] = POLICY.plans;
    policies.put({ generation, policy: { ...POLICY, plans: plan === undefined ? [] : [{ ...plan, id: generation }] } });
  };
  /** Time in which these workers report each 5 s, and the watch is held anew. */
  const pass = async (ms: number, ...workers: string[]): Promise<void> => {
    for (let passed = 0; passed < ms; passed += REPORT_MS) {
      timers.advance(REPORT_MS);
      for (const worker of workers) reports(worker);
      await says(saidLast);
    }
  };
  return { ...scene, view, state, says, reports, inForce, save, pass };
}

describe("the status of an edge", () => {
  it("an edge is current once it says ok and each worker runs the published policy", async () => {
    const { says, reports, view } = oneEdge();
    await says();
    reports("a");
    reports("b");
    expect(await view()).toMatchObject({
      state: "current",
      published: 1,
      received: { generation: 1, state: "ok" },
      running: { 1: 2 },
      violations: [],
      silentWorkers: 0,
    });
  });

  it("an edge is waiting after a save, and current once the last worker has the policy", async () => {
    const { says, reports, save, state, timers } = oneEdge();
    await says();
    reports("a");
    reports("b");
    save(2);
    await settled();
    expect(await state()).toBe("waiting");
    await says({ policy: received(2, { state: "trying" }) });
    expect(await state()).toBe("waiting");
    await says({ policy: received(2) });
    reports("a");
    expect(await state()).toBe("waiting");
    timers.advance(100);
    reports("b");
    expect(await state()).toBe("current");
  });

  it("an edge is behind when a worker still runs another policy after the window", async () => {
    const { says, reports, save, inForce, view, timers } = oneEdge();
    await says();
    const before = inForce();
    reports("a");
    reports("b", before);
    save(2);
    await says({ policy: received(2) });
    for (let ms = 0; ms <= WINDOW_MS; ms += REPORT_MS) {
      expect((await view())?.state).toBe("waiting");
      timers.advance(REPORT_MS);
      reports("a");
      reports("b", before);
      await says({ policy: received(2) });
    }
    expect(await view()).toMatchObject({ state: "behind", running: { 1: 1, 2: 1 } });
    reports("b");
    expect((await view())?.state).toBe("current");
  });

  it("an edge is behind when it has not received the published policy within the window", async () => {
    const { says, reports, save, inForce, state, timers } = oneEdge();
    const before = inForce();
    save(2);
    await says({ policy: received(2, { state: "trying" }) });
    timers.advance(WINDOW_MS);
    await says({ policy: received(2, { state: "trying" }) });
    reports("a", before);
    expect(await state()).toBe("waiting");
    timers.advance(1);
    await says({ policy: received(2, { state: "trying" }) });
    expect(await state()).toBe("behind");
  });

  it("an edge is not behind for a new worker that has had less than the window", async () => {
    const { says, reports, state, inForce, timers } = oneEdge();
    await says();
    reports("a");
    timers.advance(WINDOW_MS);
    reports("a");
    await says();
    reports("reloaded", { ...inForce(), source: "settings", generation: 0, hash: "1".repeat(16) });
    expect(await state()).toBe("waiting");
  });

  it("an edge is current where a worker runs the same bytes from its settings", async () => {
    const { says, reports, inForce, view } = oneEdge();
    await says();
    reports("a", { ...inForce(), source: "settings", generation: 0 });
    expect(await view()).toMatchObject({ state: "current", running: { 0: 1 } });
  });

  it("an edge is rejected, with its violations, until it takes a policy that is saved later", async () => {
    const { says, reports, save, inForce, view, state, pass } = oneEdge();
    await says();
    const before = inForce();
    save(2);
    const violations = [{ path: "plans[0].maxTokens", message: "expected an integer" }];
    const rejected = received(2, { state: "rejected", violations });
    await says({ policy: rejected });
    reports("a", before);
    expect(await view()).toMatchObject({
      state: "rejected",
      received: { generation: 2, state: "rejected" },
      violations,
    });
    await pass(2 * WINDOW_MS);
    await says({ policy: rejected });
    expect(await state()).toBe("rejected");
    save(3);
    expect(await state()).toBe("waiting");
    await says({ policy: received(3) });
    reports("a");
    expect(await view()).toMatchObject({ state: "current", violations: [] });
  });

  it("an edge is trapped when the policy ended the VM that tried it", async () => {
    const { says, save, state } = oneEdge();
    save(2);
    await says({ policy: received(2, { state: "trapped" }) });
    expect(await state()).toBe("trapped");
  });

  it("an edge is notFollowing when its settings say so, and has no silent workers then", async () => {
    const { says, reports, inForce, view } = oneEdge();
    await says({ follow: false, policy: undefined });
    reports("a", { ...inForce(), source: "settings", generation: 0, hash: "1".repeat(16) });
    expect(await view()).toMatchObject({ state: "notFollowing", received: null, running: { 0: 1 }, silentWorkers: 0 });
  });

  it("an edge is olderFilter when it names no format of policies that it reads", async () => {
    const { says, view } = oneEdge();
    await says({ filter: undefined, policy: undefined, table: undefined });
    expect(await view()).toMatchObject({ state: "olderFilter", filter: null, table: null });
  });

  it("an edge is silent without watch and contact within the window, until it is gone", async () => {
    const { says, watches, state, timers, clock } = oneEdge();
    await says();
    await watches.stop();
    timers.advance(WINDOW_MS);
    expect(await state()).toBe("current");
    timers.advance(1);
    expect(await state()).toBe("silent");
    clock.advance(GONE_AFTER_MS - WINDOW_MS - 2);
    expect(await state()).toBe("silent");
    clock.advance(1);
    expect(await state()).toBeUndefined();
  });

  it("an edge is not silent while it watches, however long its last report is ago", async () => {
    const { says, state, clock } = oneEdge();
    await says();
    clock.advance(WINDOW_MS + 1);
    expect(await state()).not.toBe("silent");
  });

  it("an edge has the worst status of its instances during a hot restart", async () => {
    const { says, save, view, state, clock, instances } = oneEdge();
    instances.acquired({ edge: "gw-1", instance: RESTARTED });
    save(2);
    await says({ policy: received(2) });
    await says({ policy: received(2, { state: "trapped" }), instance: RESTARTED });
    expect(await state()).toBe("trapped");
    expect((await view())?.instances.map((one) => one.state)).toEqual(["current", "trapped"]);
    await says({ policy: received(2), instance: RESTARTED });
    instances.acquired({ edge: "gw-1", instance: "0".repeat(16) });
    clock.advance(WINDOW_MS + 1);
    expect((await view())?.instances.map((one) => one.state)).toEqual(["current", "current", "silent"]);
    expect(await state()).toBe("current");
  });

  it("an edge is waiting while it names a policy of the log before a restore", async () => {
    const { says, state, instances } = oneEdge();
    instances.acquired({ edge: "gw-1", instance: INSTANCE });
    await says({ policy: received(1, { log: OTHER_LOG, state: "rejected" }) });
    expect(await state()).toBe("waiting");
  });
});

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

  it("the list is made in a moment also where all remembered instances have one name", async () => {
    const clock = new FixedClock();
    const policies = new PoliciesInForce(clock, POLICY);
    const instances = new EdgeRegistry({ clock, policies });
    for (let i = 0; i < MANY; i++) {
      instances.acquired({ edge: "gw-1", instance: i.toString(16).padStart(16, "0") });
    }
    const views = await edgesNow({ instances, policies, log: new MemoryLog(), clock });
    expect(views.map(({ edge, instances: shown }) => [edge, shown.length])).toEqual([["gw-1", MANY]]);
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
