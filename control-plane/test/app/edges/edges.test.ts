// The state of an edge as an operator sees it, by what the edge says with its watches and its workers with their reports.
import { describe, expect, it } from "vitest";

import { GONE_AFTER_MS } from "../../../src/app/edges/status/workers.js";
import { INSTANCE } from "../../support/control-plane.js";
import { oneEdge, REPORT_MS, WINDOW_MS } from "../../support/one-edge.js";
import { received, settled } from "../../support/watching.js";

const RESTARTED = "ffeeddccbbaa9988";
const OTHER_LOG = "f".repeat(16);

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
