// Held watches: how many there may be, what frees them, and what they say of their instance.
import { describe, expect, it, vi } from "vitest";

import { WATCH_HOLD_MS } from "../../../../assembly/contract.js";
import { answerOf, nobodyHangsUp, request, saying, settled, T0, watchingMemory } from "../../support/watching.js";

describe("the bound of held watches", () => {
  it("a newer watch of an instance replaces the older, which is answered", async () => {
    const { log, watches, outcomes } = watchingMemory();
    const older = watches.watch(request(), nobodyHangsUp());
    await answerOf(older);
    const newer = watches.watch(request(), nobodyHangsUp());
    expect(await answerOf(older)).toEqual(saying(0, []));
    expect([await answerOf(newer), watches.heldCount()]).toEqual([undefined, 1]);
    log.append("revoked", "a", T0);
    expect(await answerOf(newer)).toEqual(saying(1, ["a"]));
    expect(outcomes).toEqual(["replaced", "entries"]);
  });

  it("two instances of one edge, as in a hot restart, both hold a watch", async () => {
    const { watches } = watchingMemory();
    const both = ["1".repeat(16), "2".repeat(16)].map((instance) =>
      watches.watch(request({ instance }), nobodyHangsUp()),
    );
    expect(await Promise.all(both.map(answerOf))).toEqual([undefined, undefined]);
    expect(watches.heldCount()).toBe(2);
  });

  it("a watch above the bound is answered with what there is, or as busy", async () => {
    const { log, watches } = watchingMemory(1);
    log.append("revoked", "a", T0);
    void watches.watch(request({ since: 1 }), nobodyHangsUp());
    const other = { edge: "gw-2" };
    expect(await watches.watch(request({ ...other, since: 1 }), nobodyHangsUp())).toEqual({ outcome: "busy" });
    expect(await watches.watch(request({ ...other, since: 0 }), nobodyHangsUp())).toEqual(saying(1, ["a"]));
  });

  it("a caller that hangs up frees its watch", async () => {
    const { watches, timers, outcomes } = watchingMemory(1);
    const caller = new AbortController();
    void watches.watch(request(), caller.signal);
    await settled();
    expect(watches.heldCount()).toBe(1);
    caller.abort();
    expect([watches.heldCount(), timers.pending, outcomes]).toEqual([0, 0, ["gone"]]);
  });

  it("a watch is not held for a caller that has hung up before", async () => {
    const { watches } = watchingMemory();
    const caller = new AbortController();
    caller.abort();
    await watches.watch(request(), caller.signal);
    expect(watches.heldCount()).toBe(0);
  });
});

describe("a watching instance", () => {
  it("an instance counts as watching for as long as its call is held", async () => {
    const { instances, watches, timers } = watchingMemory();
    const watched = watches.watch(request(), nobodyHangsUp());
    await answerOf(watched);
    expect(instances.known(0)).toMatchObject([{ edge: "gw-1", watching: true }]);
    timers.advance(WATCH_HOLD_MS);
    await watched;
    expect(instances.known(0)).toMatchObject([{ edge: "gw-1", watching: false }]);
  });
});

describe("a stop of the control plane", () => {
  it("every held watch is answered when the control plane stops, and none is held after", async () => {
    const { watches, timers } = watchingMemory();
    const held = ["gw-1", "gw-2"].map((edge) => watches.watch(request({ edge }), nobodyHangsUp()));
    await Promise.all(held.map(answerOf));
    await watches.stop();
    expect(await Promise.all(held)).toEqual([saying(0, []), saying(0, [])]);
    expect(await watches.watch(request(), nobodyHangsUp())).toEqual({ outcome: "busy" });
    expect([watches.heldCount(), timers.pending]).toEqual([0, 0]);
  });
});

describe("a log that cannot be read", () => {
  it("a held watch stays while the log cannot be read, and the next commit answers it", async () => {
    const { log, watches, logged } = watchingMemory();
    const watched = watches.watch(request(), nobodyHangsUp());
    await answerOf(watched);
    const broken = vi.spyOn(log, "read").mockRejectedValue(new Error("disk"));
    log.append("revoked", "a", T0);
    expect(await answerOf(watched)).toBeUndefined();
    expect(logged).toMatchObject([{ event: "watch-failed" }]);
    broken.mockRestore();
    log.append("revoked", "b", T0);
    expect(await answerOf(watched)).toEqual(saying(2, ["a", "b"]));
  });
});
