// How much a control plane writes for others to know what edges told it.
import { describe, expect, it } from "vitest";

import { MINUTE_MS, OF, pass, SECOND_MS, SharedStore, started, two } from "../../../support/processes.js";

describe("what is written for other control planes", () => {
  it("two hundred reports a second of ten instances are a write of each in five seconds", async () => {
    const { store, other, both } = await two();
    const instances = Array.from({ length: 10 }, (_, at) => ({ edge: `gw-${at}`, instance: OF.instance }));
    const report = (): void => {
      for (const of of instances) for (let at = 0; at < 10; at++) other.report(`w${at}`, { of });
    };
    await pass(10 * SECOND_MS, both, SECOND_MS / 2, report);
    const before = store.writes.statuses;
    await pass(MINUTE_MS, both, SECOND_MS / 2, report);
    expect(store.writes.statuses - before).toBe((10 * 60) / 5);
  });

  it("an edge that says nothing new is not written anew", async () => {
    const { store, other, both } = await two();
    other.report("w1");
    await pass(10 * SECOND_MS, both);
    const before = store.writes.statuses;
    await pass(MINUTE_MS, both);
    expect(store.writes.statuses).toBe(before);
  });

  it("what a clock is set right by meanwhile is no other contact", async () => {
    const { store, other, both } = await two();
    other.report("w1");
    await pass(10 * SECOND_MS, both);
    const before = store.writes.statuses;
    await pass(MINUTE_MS, both, SECOND_MS, () => {
      other.clock.step(3);
    });
    expect(store.writes.statuses - before).toBeLessThanOrEqual(1);
  });

  it("the cursors of many watches within 100 ms are one write", async () => {
    const { store, other, both } = await two();
    for (let at = 0; at < 300; at++) other.watch({ edge: `gw-${at}`, since: 1 });
    await pass(SECOND_MS, both, 100);
    expect(store.writes.cursors).toBe(1);
    // Who comes back from where it was moves no cursor.
    for (let at = 0; at < 300; at++) other.watch({ edge: `gw-${at}`, since: 1 });
    await pass(SECOND_MS, both, 100);
    expect(store.writes.cursors).toBe(1);
  });

  it("a control plane that is alone over a shared store writes no cursors", async () => {
    const store = new SharedStore();
    const only = await started(store, "only", Date.UTC(2026, 0, 1));
    only.watch({ since: 1 });
    await pass(2 * SECOND_MS, [only], 100);
    expect(store.writes.cursors).toBe(0);
    expect(await store.of("only").all()).toHaveLength(1);
  });

  it("a policy that a worker runs is known to the other control plane within three seconds", async () => {
    const { one, other, both } = await two();
    const policy = { source: "control-plane", generation: 1, hash: "a" };
    other.report("w1", { policy });
    await pass(3 * SECOND_MS, both);
    for (let generation = 2; generation < 7; generation++) {
      other.report("w1", { policy: { ...policy, generation, hash: `${generation}` } });
      await pass(3 * SECOND_MS, both);
      expect((await one.page())[0]?.running).toEqual({ [generation]: 1 });
    }
  });

  it("ten thousand workers of a few instances are written some at a time", async () => {
    const store = new SharedStore();
    const plane = await started(store, "only", Date.UTC(2026, 0, 1));
    const sizes: number[] = [];
    for (let edge = 0; edge < 90; edge++) {
      for (let at = 0; at < 120; at++) plane.report(`w${at}`, { of: { edge: `gw-${edge}`, instance: OF.instance } });
    }
    store.written = (statuses) => {
      sizes.push(statuses.reduce((sum, { detail }) => sum + (detail?.workers.length ?? 0), 0));
    };
    await pass(2 * SECOND_MS, [plane]);
    await pass(2 * SECOND_MS, [plane]);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(90 * 120);
    expect(Math.max(...sizes)).toBeLessThan(5_200);
  });
});
