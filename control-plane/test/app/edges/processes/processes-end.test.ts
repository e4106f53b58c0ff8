// What a control plane leaves behind that ends, is killed, stands still, or is restarted beside another one.
import { describe, expect, it } from "vitest";

import { MINUTE_MS, OF, pass, SECOND_MS, started, two } from "../../../support/processes.js";

describe("a control plane beside others that ends", () => {
  it("an edge that watched at a killed control plane no longer watches after 35 seconds", async () => {
    const { one, other, both } = await two();
    other.watch();
    await pass(4 * SECOND_MS, both);
    const watching = async (): Promise<unknown> => (await one.page())[0]?.watching;
    await pass(28 * SECOND_MS, [one]);
    expect(await watching()).toBe(true);
    await pass(10 * SECOND_MS, [one]);
    expect(await watching()).toBe(false);
    expect(await one.page()).toMatchObject([{ edge: "gw-1", state: "silent" }]);
    await pass(6 * MINUTE_MS, [one]);
    expect(await one.page()).toEqual([]);
  });

  it("an edge whose control plane stopped watches there no more after 5 seconds, and is not gone", async () => {
    const { one, other, both } = await two();
    other.watch();
    await pass(4 * SECOND_MS, both);
    await other.stop();
    await pass(5 * SECOND_MS, [one]);
    expect(await one.page()).toMatchObject([{ edge: "gw-1", watching: false, lastReportAt: null }]);
    one.watch();
    await pass(SECOND_MS, [one]);
    expect(await one.page()).toMatchObject([{ edge: "gw-1", state: "current", watching: true }]);
  });

  it("an edge of a stopped control plane is waiting at one that starts with no other there", async () => {
    const { store, one, other, both } = await two();
    other.watch();
    await pass(4 * SECOND_MS, both);
    await Promise.all([other.stop(), one.stop()]);
    const third = await started(store, "third", one.clock.monotonicMs() + 60 * MINUTE_MS);
    expect(await third.page()).toMatchObject([{ edge: "gw-1", state: "waiting", watching: false }]);
    expect(third.instances.status(OF, 20_000)).toBe("behind");
  });

  it("what a control plane has stored is removed an hour after its end, by another one", async () => {
    const { store, one, other, both } = await two();
    other.watch();
    await pass(4 * SECOND_MS, both);
    await pass(59 * MINUTE_MS, [one], 10 * SECOND_MS);
    expect(await store.of("other").all()).toHaveLength(1);
    await pass(2 * MINUTE_MS, [one], 10 * SECOND_MS);
    expect(await store.of("other").all()).toEqual([]);
    const { processes } = await store.of("one").shared.changedAfter(0, 10);
    expect(processes.map(({ process }) => process)).toEqual(["one"]);
  });

  it("an edge of a stopped control plane is silent no longer at one that starts beside another", async () => {
    const { store, one, other, both } = await two();
    other.watch()();
    await pass(8 * SECOND_MS, both);
    await other.stop();
    await pass(4 * MINUTE_MS, [one], 5 * SECOND_MS);
    const third = await started(store, "third", one.clock.monotonicMs());
    expect(await third.page()).toHaveLength(1);
    await pass(2 * MINUTE_MS, [one, third], 5 * SECOND_MS);
    expect(await third.page()).toEqual([]);
  });

  it("a control plane that others have forgotten stores all anew within two seconds", async () => {
    const { store, one, other, both } = await two();
    other.watch();
    await pass(6 * SECOND_MS, both);
    await store.of("one").shared.forget("other");
    expect(await store.of("other").all()).toEqual([]);
    await pass(3 * SECOND_MS, both);
    expect(await store.of("other").all()).toHaveLength(1);
    expect(await one.page()).toMatchObject([{ edge: "gw-1", watching: true }]);
  });

  it("an edge that only a forgotten control plane knew is no longer listed", async () => {
    const { store, one, other, both } = await two();
    other.watch();
    await pass(4 * SECOND_MS, both);
    await store.of("one").shared.forget("other");
    await pass(2 * SECOND_MS, [one]);
    expect(await one.page()).toEqual([]);
  });

  it("a control plane that stood still for long stores all that it knows anew", async () => {
    const { store, one, other, both } = await two();
    other.watch();
    await pass(4 * SECOND_MS, both);
    await pass(62 * MINUTE_MS, [one], 10 * SECOND_MS);
    expect([await store.of("other").all(), await one.page()]).toEqual([[], []]);
    // The watch that it held is over by then, and the edge watches anew.
    other.watch();
    other.timers.advance(62 * MINUTE_MS);
    other.watch();
    await pass(4 * SECOND_MS, both);
    expect(await one.page()).toMatchObject([{ edge: "gw-1", watching: true }]);
    expect(await one.page()).toEqual(await other.page());
  });

  it("a short stall of a control plane has no edge look unwatched", async () => {
    const { one, other, both } = await two();
    other.watch();
    await pass(4 * SECOND_MS, both);
    await pass(20 * SECOND_MS, [one]);
    expect(await one.page()).toMatchObject([{ watching: true }]);
    other.timers.advance(20 * SECOND_MS);
    other.watch();
    await pass(8 * SECOND_MS, both);
    expect(await one.page()).toEqual(await other.page());
  });
});

describe("a shared store that fails", () => {
  it("edges that could not be heard while the store was away are not gone when it is back", async () => {
    const { store, one, other, both } = await two();
    other.watch()();
    other.report("w1");
    await pass(6 * MINUTE_MS, both, 5 * SECOND_MS, () => {
      other.report("w1");
    });
    expect(one.instances.status(OF, 20_000)).toBe("current");
    store.isAway = true;
    await pass(10 * MINUTE_MS, both, 5 * SECOND_MS);
    expect([one.instances.listeningMs(), other.instances.listeningMs()]).toEqual([0, 0]);
    store.isAway = false;
    await pass(2 * SECOND_MS, both);
    for (const { instances } of both) {
      expect(instances.listeningMs()).toBeLessThanOrEqual(2 * SECOND_MS);
      expect(instances.status(OF, 20_000)).toBe("behind");
      expect(instances.standings(20_000).others).toBe("behind");
    }
    await pass(5 * MINUTE_MS + 45 * SECOND_MS, both, 5 * SECOND_MS);
    for (const { instances } of both) expect(instances.status(OF, 20_000)).toBe("gone");
  });

  it("another copy of the store has all written anew, and nothing is idle by what it lacks", async () => {
    const { store, one, other, both } = await two();
    other.watch();
    await pass(MINUTE_MS, both, 5 * SECOND_MS, () => {
      other.watch();
    });
    store.statuses.setBack();
    store.logId = "20000000000000bb";
    await pass(2 * SECOND_MS, both);
    expect(await store.of("other").all()).toMatchObject([{ edge: "gw-1", watching: true }]);
    for (const { instances } of both) expect(instances.listeningMs()).toBeLessThanOrEqual(2 * SECOND_MS);
    expect(await one.page()).toMatchObject([{ edge: "gw-1", watching: true }]);
  });

  it("a killed control plane holds no watch in another copy of the store either", async () => {
    const { store, one, other, both } = await two();
    other.watch();
    await pass(4 * SECOND_MS, both);
    await pass(45 * SECOND_MS, [one]);
    store.logId = "20000000000000bb";
    await pass(2 * SECOND_MS, [one]);
    expect(await one.page()).toMatchObject([{ edge: "gw-1", watching: false }]);
  });

  it("another copy of the store is read from its beginning, however much is written to it", async () => {
    const { store, one, other, both } = await two();
    other.watch();
    await pass(20 * SECOND_MS, both);
    store.statuses.setBack();
    store.logId = "20000000000000bb";
    const third = await started(store, "third", one.clock.monotonicMs());
    third.watch({ edge: "gw-3" });
    await pass(SECOND_MS, [third]);
    const cursor = { ...OF, edge: "gw-3", log: "10000000000000aa", since: 0 };
    for (let since = 0; since < 50; since++) await store.of("third").shared.noteCursors([{ ...cursor, since }]);
    await pass(2 * SECOND_MS, [...both, third]);
    expect((await one.page()).map(({ edge }) => edge)).toEqual(["gw-1", "gw-3"]);
  });

  it("a control plane that cannot read the store says so, and looks on", async () => {
    const { store, one, both } = await two();
    store.isAway = true;
    await pass(3 * SECOND_MS, both);
    expect(one.logged).toContainEqual(expect.objectContaining({ event: "edge-status-failed" }));
  });
});
