// The primary is killed and Sentinel makes its replica the primary: with replicas waited for nothing is lost, without what is lost is said.
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";

import { initStore } from "../../../control-plane/test/support/planes-over-server.js";
import { SentinelSet } from "../../../control-plane/test/support/servers/sentinel-set.js";
import { useProgram } from "../../../control-plane/test/support/servers/use-server.js";
import { expectCounted, failover, notMadeGood } from "./failovers.js";
import { Scene } from "./scene.js";

/** For so long the replica does not follow, before its primary is killed. */
const BEHIND_MS = 1000;

describe.each(["Redis 7", "Valkey 9"] as const)("a failover by Sentinel of %s", (name) => {
  const program = useProgram(name);
  let set: SentinelSet | undefined;
  afterEach(() => set?.remove());

  async function scene(replicas: number): Promise<{ one: Scene; set: SentinelSet }> {
    set = await SentinelSet.start(program(), { server: { appendonly: true, appendfsync: "always" } });
    await initStore(set.members[0].server.port);
    const settings = { SLUICE_STORE_REPLICAS: String(replicas) };
    const one = await Scene.start({
      stores: [set.url, set.url],
      settings: [settings, settings],
      reportsAgain: replicas === 0,
    });
    return { one, set };
  }

  it(`each write waits for a replica of ${name}: a failover loses nothing, and edges begin anew`, async () => {
    const { one, set } = await scene(1);
    const { untrue, edges } = await one.through(() => failover(set));
    expect(one.problems(untrue)).toEqual([]);
    for (const { begunAnew } of edges) expect(begunAnew).toBeGreaterThan(0);
  });

  it(`a replica of ${name} that fell behind takes over: what it lacks had not been acknowledged`, async () => {
    const { one, set } = await scene(1);
    const { untrue } = await one.through(async () => {
      await set.cutReplica();
      await delay(BEHIND_MS);
      await failover(set);
    });
    expect(one.problems(untrue)).toEqual([]);
  });

  it(`what a failover of ${name} loses is counted where no write waits for a replica`, async () => {
    const { one, set } = await scene(0);
    let had = 0;
    const { untrue, edges } = await one.through(async () => {
      await set.cutReplica();
      await one.more(3, ["201", "204"]);
      had = await failover(set);
    });
    await expectCounted(one, set, { had, untrue });
    // What an edge reported it reports again, as it begins anew.
    expect(notMadeGood(untrue)).toEqual([]);
    for (const { begunAnew } of edges) expect(begunAnew).toBeGreaterThan(0);
  });
});
