// Which edges have carried out a revocation: by the place in the log that they say with their watches.
import { describe, expect, it } from "vitest";

import { Confirmations } from "../../../src/app/edges/confirmations.js";
import { GONE_AFTER_MS } from "../../../src/app/edges/status/workers.js";
import { nobodyHangsUp, request, settled, T0, watchingMemory } from "../../support/watching.js";

const SECOND_INSTANCE = "ffeeddccbbaa9988";
const OTHER_LOG = "f".repeat(16);

/** Edges that watch, and one revocation that none of them has heard of. */
async function revokedFor(...edges: string[]) {
  const scene = watchingMemory();
  const { instances, timers, watches, log } = scene;
  const confirmations = new Confirmations(instances, timers);
  const says = async (edge: string, since: number, fields = {}): Promise<void> => {
    void watches.watch(request({ edge, since, ...fields }), nobodyHangsUp());
    await settled();
  };
  for (const edge of edges) await says(edge, 0);
  log.append("revoked", "a", T0);
  await settled();
  return { ...scene, confirmations, says, position: log.now() };
}

describe("the confirmation of a revocation", () => {
  it("names the edges whose next watch has not passed it, sorted", async () => {
    const { confirmations, says, position } = await revokedFor("gw-c", "gw-a", "gw-b");
    expect(confirmations.standing(position)).toEqual({ edges: 3, confirmed: 0, pending: ["gw-a", "gw-b", "gw-c"] });
    await says("gw-b", 1);
    expect(confirmations.standing(position)).toEqual({ edges: 3, confirmed: 1, pending: ["gw-a", "gw-c"] });
  });

  it("comes at once where no edge is known", async () => {
    const { confirmations, position } = await revokedFor();
    expect(await confirmations.wait(position, 2000)).toEqual({ edges: 0, confirmed: 0, pending: [] });
  });

  it("comes as soon as the last edge has passed it", async () => {
    const { confirmations, says, position, timers } = await revokedFor("gw-a", "gw-b");
    const waited = confirmations.wait(position, 2000);
    await says("gw-a", 1);
    await says("gw-b", 1);
    expect(await waited).toEqual({ edges: 2, confirmed: 2, pending: [] });
    // Those of the two watches that are held.
    expect(timers.pending).toBe(2);
  });

  it("says after the timeout who is still pending", async () => {
    const { confirmations, says, position, timers } = await revokedFor("gw-a", "gw-b");
    const waited = confirmations.wait(position, 2000);
    await says("gw-a", 1);
    timers.advance(2000);
    expect(await waited).toEqual({ edges: 2, confirmed: 1, pending: ["gw-b"] });
  });

  it("says how it stands to a caller that gives up", async () => {
    const { confirmations, position } = await revokedFor("gw-a");
    const caller = new AbortController();
    const waited = confirmations.wait(position, 2000, caller.signal);
    caller.abort();
    expect(await waited).toEqual({ edges: 1, confirmed: 0, pending: ["gw-a"] });
  });

  it("needs each instance of an edge during a hot restart", async () => {
    const { confirmations, says, position } = await revokedFor("gw-a");
    await says("gw-a", 0, { instance: SECOND_INSTANCE });
    const waited = confirmations.wait(position, 2000);
    await says("gw-a", 1);
    expect(confirmations.standing(position).pending).toEqual(["gw-a"]);
    await says("gw-a", 1, { instance: SECOND_INSTANCE });
    expect(await waited).toEqual({ edges: 1, confirmed: 1, pending: [] });
  });

  it("of an Envoy that was started again is its present life's, once nothing comes of the one before", async () => {
    const { confirmations, says, position, timers, watches, instances } = await revokedFor("gw-a");
    const before = new AbortController();
    void watches.watch(request({ edge: "gw-a", since: 0 }), before.signal);
    await settled();
    before.abort();
    await says("gw-a", 1, { instance: SECOND_INSTANCE });
    expect(confirmations.standing(position).pending).toEqual(["gw-a"]);
    timers.advance(instances.windowMs() + 1);
    await says("gw-a", 1, { instance: SECOND_INSTANCE });
    expect(confirmations.standing(position)).toEqual({ edges: 1, confirmed: 1, pending: [] });
  });

  it("is not given by an edge that follows another log, however far", async () => {
    const { confirmations, says, position } = await revokedFor("gw-a");
    await says("gw-a", 100, { log: OTHER_LOG });
    expect(confirmations.standing(position).pending).toEqual(["gw-a"]);
  });

  it("does not wait for an edge that is gone", async () => {
    const { confirmations, position, timers, watches } = await revokedFor("gw-a");
    await watches.stop();
    timers.advance(GONE_AFTER_MS);
    expect(confirmations.standing(position)).toEqual({ edges: 0, confirmed: 0, pending: [] });
  });
});
