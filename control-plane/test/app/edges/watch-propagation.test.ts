// How long a revocation takes to every edge, as watches show it.
import { describe, expect, it } from "vitest";

import { answerOf, nobodyHangsUp, request, settled, T0, watchingMemory } from "../../support/watching.js";

describe("the propagation of a revocation", () => {
  it("propagation is the time from a revocation's commit to each connected edge's confirmation", async () => {
    const { clock, log, watches, propagated } = watchingMemory();
    const edges = ["gw-1", "gw-2"];
    const held = edges.map((edge) => watches.watch(request({ edge }), nobodyHangsUp()));
    await Promise.all(held.map(answerOf));
    log.append("revoked", "a", T0);
    clock.advance(5);
    void watches.watch(request({ edge: "gw-1", since: 1 }), nobodyHangsUp());
    await settled();
    clock.advance(7);
    void watches.watch(request({ edge: "gw-2", since: 0 }), nobodyHangsUp());
    await settled();
    expect(propagated).toEqual([5]);
    void watches.watch(request({ edge: "gw-2", since: 1 }), nobodyHangsUp());
    await settled();
    expect(propagated).toEqual([5, 12]);
  });

  it("propagation counts revocations only, and no edge that was not there", async () => {
    const { log, watches, propagated } = watchingMemory();
    void watches.watch(request(), nobodyHangsUp());
    await settled();
    log.append("refresh", "a", T0);
    void watches.watch(request({ since: 1 }), nobodyHangsUp());
    log.append("revoked", "b", T0);
    void watches.watch(request({ edge: "gw-2", since: 2 }), nobodyHangsUp());
    await settled();
    expect(propagated).toEqual([]);
  });
});
