// Which edges have applied a revocation: by the cursor that they name with their watches.
import { describe, expect, it } from "vitest";

import { Confirmations } from "../../../src/app/edges/confirmations.js";
import { GONE_AFTER_MS } from "../../../src/app/edges/status/workers.js";
import { nobodyHangsUp, request, settled, T0, watchingMemory } from "../../support/watching.js";

const SECOND_INSTANCE = "ffeeddccbbaa9988";
const OTHER_LOG = "f".repeat(16);

/** Edges that watch, and one revocation that none of them has received. */
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
  it("edges whose next watch is not past the revocation are pending, sorted by name", async () => {
    const { confirmations, says, position } = await revokedFor("gw-c", "gw-a", "gw-b");
    expect(confirmations.status(position)).toEqual({ edges: 3, confirmed: 0, pending: ["gw-a", "gw-b", "gw-c"] });
    await says("gw-b", 1);
    expect(confirmations.status(position)).toEqual({ edges: 3, confirmed: 1, pending: ["gw-a", "gw-c"] });
  });

  it("a revocation is confirmed at once where no edge is known", async () => {
    const { confirmations, position } = await revokedFor();
    expect(await confirmations.wait(position, 2000)).toEqual({ edges: 0, confirmed: 0, pending: [] });
  });

  it("a revocation is confirmed as soon as the last edge has passed it", async () => {
    const { confirmations, says, position, timers } = await revokedFor("gw-a", "gw-b");
    const waited = confirmations.wait(position, 2000);
    await says("gw-a", 1);
    await says("gw-b", 1);
    expect(await waited).toEqual({ edges: 2, confirmed: 2, pending: [] });
    // Those of the two watches that are held.
    expect(timers.pending).toBe(2);
  });

  it("an edge's watch is told to those that wait for it, and to nobody after that", async () => {
    const { instances, says } = await revokedFor();
    const heard: string[] = [];
    const end = instances.onWatched(({ edge }) => heard.push(edge));
    await says("gw-a", 1);
    end();
    await says("gw-b", 1);
    expect(heard).toEqual(["gw-a"]);
  });

  it("a wait that times out names the edges that are still pending", async () => {
    const { confirmations, says, position, timers } = await revokedFor("gw-a", "gw-b");
    const waited = confirmations.wait(position, 2000);
    await says("gw-a", 1);
    timers.advance(2000);
    expect(await waited).toEqual({ edges: 2, confirmed: 1, pending: ["gw-b"] });
  });

  it("a caller that gives up gets the figures of that moment", async () => {
    const { confirmations, position } = await revokedFor("gw-a");
    const caller = new AbortController();
    const waited = confirmations.wait(position, 2000, caller.signal);
    caller.abort();
    expect(await waited).toEqual({ edges: 1, confirmed: 0, pending: ["gw-a"] });
  });

  it("each instance of an edge has to confirm during a hot restart", async () => {
    const { confirmations, says, position } = await revokedFor("gw-a");
    await says("gw-a", 0, { instance: SECOND_INSTANCE });
    const waited = confirmations.wait(position, 2000);
    await says("gw-a", 1);
    expect(confirmations.status(position).pending).toEqual(["gw-a"]);
    await says("gw-a", 1, { instance: SECOND_INSTANCE });
    expect(await waited).toEqual({ edges: 1, confirmed: 1, pending: [] });
  });

  it("a restarted Envoy confirms by its new instance once the former one is gone", async () => {
    const { confirmations, says, position, timers, watches, instances } = await revokedFor("gw-a");
    const before = new AbortController();
    void watches.watch(request({ edge: "gw-a", since: 0 }), before.signal);
    await settled();
    before.abort();
    await says("gw-a", 1, { instance: SECOND_INSTANCE });
    expect(confirmations.status(position).pending).toEqual(["gw-a"]);
    timers.advance(instances.windowMs() + 1);
    await says("gw-a", 1, { instance: SECOND_INSTANCE });
    expect(confirmations.status(position)).toEqual({ edges: 1, confirmed: 1, pending: [] });
  });

  it("an edge that follows another log does not confirm, however far it is", async () => {
    const { confirmations, says, position } = await revokedFor("gw-a");
    await says("gw-a", 100, { log: OTHER_LOG });
    expect(confirmations.status(position).pending).toEqual(["gw-a"]);
  });

  it("an edge that is gone is not waited for", async () => {
    const { confirmations, position, timers, watches } = await revokedFor("gw-a");
    await watches.stop();
    timers.advance(GONE_AFTER_MS);
    expect(confirmations.status(position)).toEqual({ edges: 0, confirmed: 0, pending: [] });
  });
});
