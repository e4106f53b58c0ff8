// What an operator sees of edges: which policy each really runs, and how far it is behind the log.
import { describe, expect, it } from "vitest";

import { EdgeInstances, GONE_AFTER_MS } from "../src/app/edge-instances.js";
import { edgesNow } from "../src/app/edges.js";
import type { EdgeView } from "../src/app/edges.js";
import { Rollout } from "../src/app/rollout.js";
import { INSTANCE } from "./support/control-plane.js";
import { FixedClock } from "./support/fixed-clock.js";
import { MemoryLog } from "./support/memory-log.js";
import { nobodyHangsUp, request, settled, watchingMemory } from "./support/watching.js";

const FIRST = "1111111111111111";
const SECOND = "2222222222222222";

/** As many instances as are remembered. Each copied for each would take a minute. */
const MANY = 65_536;

const noPolicy = { current: () => undefined };

/** An edge `gw-1` with one stream, whose filter says what a test lets it say. */
function oneEdge() {
  const { watches, instances, clock, log } = watchingMemory();
  const rollout = new Rollout(clock);
  rollout.connected("gw-1");
  const push = (generation: number) => ({ generation, version: `${generation}.0123456789ab.0` });
  const view = async (): Promise<EdgeView | undefined> =>
    (await edgesNow({ rollout, instances, watches, log, policies: noPolicy, clock }))[0];
  const says = async (generation: number, policyHash: string, instance = INSTANCE): Promise<void> => {
    void watches.watch(request({ generation, policyHash, instance, log: log.id }), nobodyHangsUp());
    await settled();
  };
  return { rollout, clock, log, push, view, says };
}

describe("an edge's rollout", () => {
  it("is unknown before anything was pushed", async () => {
    const { view } = oneEdge();
    expect(await view()).toMatchObject({
      edge: "gw-1",
      state: "unknown",
      sent: null,
      acknowledged: null,
      running: null,
    });
  });

  it("is applied once the filter says that it runs what was pushed, and not when Envoy acknowledges it", async () => {
    const { rollout, clock, push, view, says } = oneEdge();
    rollout.sent("gw-1", push(1), FIRST);
    expect(await view()).toMatchObject({ state: "waiting", sent: 1 });
    rollout.accepted("gw-1", 1);
    expect(await view()).toMatchObject({ state: "accepted", acknowledged: 1, running: null });
    clock.advance(1);
    await says(1, FIRST);
    expect(await view()).toMatchObject({ state: "applied", running: 1, watching: true });
  });

  it("is not applied while the filter runs another policy that Envoy says it has replaced", async () => {
    const { rollout, clock, push, view, says } = oneEdge();
    rollout.sent("gw-1", push(1), FIRST);
    rollout.accepted("gw-1", 1);
    await says(1, FIRST);
    rollout.sent("gw-1", push(2), SECOND);
    rollout.accepted("gw-1", 2);
    expect(await view()).toMatchObject({ state: "accepted", acknowledged: 2, running: 1 });
    clock.advance(1);
    await says(1, FIRST);
    expect(await view()).toMatchObject({ state: "notApplied", acknowledged: 2, running: 1 });
  });

  it("is not applied by the same generation with other bytes", async () => {
    const { rollout, clock, push, view, says } = oneEdge();
    rollout.sent("gw-1", push(1), FIRST);
    rollout.accepted("gw-1", 1);
    clock.advance(1);
    await says(1, SECOND);
    expect(await view()).toMatchObject({ state: "notApplied" });
  });

  it("shows a refusal with Envoy's reason, and what runs meanwhile", async () => {
    const { rollout, clock, push, view, says } = oneEdge();
    rollout.sent("gw-1", push(1), FIRST);
    rollout.accepted("gw-1", 1);
    await says(1, FIRST);
    rollout.sent("gw-1", push(2), SECOND);
    rollout.refused("gw-1", push(2), "no such plan");
    const refused = { generation: 2, reason: "no such plan", atMs: clock.nowMs() };
    expect(await view()).toMatchObject({ state: "refused", sent: 2, acknowledged: 1, running: 1, refused });
  });

  it("goes by the instance that spoke last, as in a hot restart", async () => {
    const { rollout, clock, push, view, says } = oneEdge();
    rollout.sent("gw-1", push(2), SECOND);
    rollout.accepted("gw-1", 2);
    await says(1, FIRST, "a".repeat(16));
    clock.advance(1);
    await says(2, SECOND, "b".repeat(16));
    const shown = await view();
    expect(shown).toMatchObject({ state: "applied", running: 2 });
    expect(shown?.instances.map(({ generation }) => generation)).toEqual([1, 2]);
  });

  it("is remembered for a few pushes only", () => {
    const { rollout, push } = oneEdge();
    for (let generation = 1; generation <= 100; generation++) rollout.sent("gw-1", push(generation), FIRST);
    expect(rollout.edge("gw-1")?.pushed).toHaveLength(8);
  });
});

describe("the list of edges", () => {
  it("shows the rollout of an edge without a stream for as long as its filter is heard of", async () => {
    const { rollout, clock, push, view, says } = oneEdge();
    rollout.sent("gw-1", push(1), FIRST);
    rollout.refused("gw-1", push(1), "no such plan");
    rollout.disconnected("gw-1");
    await says(1, SECOND);
    clock.advance(2 * GONE_AFTER_MS);
    expect(await view()).toMatchObject({ edge: "gw-1", streams: 0, state: "refused", watching: true });
  });

  it("is made in a moment where all instances that are remembered have one name", async () => {
    const clock = new FixedClock();
    const instances = new EdgeInstances(clock);
    for (let i = 0; i < MANY; i++) {
      instances.acquired({ edge: "gw-1", instance: i.toString(16).padStart(16, "0") });
    }
    const parts = { rollout: new Rollout(clock), log: new MemoryLog(), policies: noPolicy };
    const views = await edgesNow({ ...parts, instances, watches: { lastOf: () => undefined }, clock });
    expect(views.map(({ edge, instances: shown }) => [edge, shown.length])).toEqual([["gw-1", MANY]]);
  });
});

describe("an edge's lag", () => {
  it("is what its table is not marked for, of the log that it follows", async () => {
    const { log, view, says } = oneEdge();
    await says(1, FIRST);
    expect((await view())?.lag).toBe(0);
    log.append("revoked", "a", 0);
    log.append("refresh", "b", 0);
    await says(1, FIRST);
    expect((await view())?.instances).toMatchObject([{ lag: 2 }]);
  });

  it("is not known of an edge that follows another log", async () => {
    const clock = new FixedClock();
    const watches = { lastOf: () => ({ ...request({ log: "f".repeat(16) }), atMs: 1 }) };
    const instances = new EdgeInstances(clock);
    instances.acquired({ edge: "gw-1", instance: INSTANCE });
    const parts = { rollout: new Rollout(clock), log: new MemoryLog(), policies: noPolicy };
    const [view] = await edgesNow({ ...parts, instances, watches, clock });
    expect(view).toMatchObject({ edge: "gw-1", streams: 0, lag: null });
  });
});
