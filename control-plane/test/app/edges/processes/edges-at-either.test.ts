// Edges whose calls come to either of two control planes, as each of the two shows them.
import { describe, expect, it } from "vitest";

import { runningGenerations } from "../../../../src/app/edges/status/running-generations.js";
import { InstanceAdmission } from "../../../../src/app/edges/status/instance-admission.js";
import { INSTANCE, MINUTE_MS, OF, pass, SECOND_MS, started, two } from "../../../support/processes.js";
import { quiet } from "../../../support/quiet-logger.js";
import { received } from "../../../support/watching.js";

const RUNS = { source: "control-plane", generation: 1, hash: "0123456789abcdef" };
const GRACE_MS = 20_000;

describe("edges at either of two control planes", () => {
  it("an edge that calls one control plane is shown by both alike within three seconds", async () => {
    const { one, other, both } = await two();
    other.watch({
      policy: received(1, { state: "rejected", violations: [{ path: "plans", message: "expected a plan" }] }),
      address: "192.0.2.7",
      wallMs: other.clock.nowMs() + 7,
    });
    other.report("w1", { policy: RUNS, build: "b".repeat(16) });
    await pass(3 * SECOND_MS, both);
    expect(await one.page()).toMatchObject([
      {
        ...{ edge: "gw-1", watching: true, clockOffsetMs: 7, running: { 1: 1 }, violations: [{ path: "plans" }] },
        instances: [{ instance: INSTANCE, address: "192.0.2.7", workers: [{ worker: "w1", generation: 1 }] }],
      },
    ]);
    expect(await one.page()).toEqual(await other.page());
  });

  it("workers that report to one control plane each are all shown by both", async () => {
    const { one, other, both } = await two();
    one.watch();
    const each = (): void => {
      one.report("w1", { policy: RUNS });
      other.report("w2", { policy: { ...RUNS, generation: 2 } });
    };
    await pass(8 * SECOND_MS, both, 4 * SECOND_MS, each);
    await pass(3 * SECOND_MS, both);
    for (const plane of both) {
      const [edge] = await plane.page();
      expect(edge?.running).toEqual({ 1: 1, 2: 1 });
      expect(edge?.instances[0]?.workers.map(({ worker }) => worker).sort()).toEqual(["w1", "w2"]);
      expect([...runningGenerations(plane.instances.known(0))].sort()).toEqual([1, 2]);
    }
  });

  it("since when a worker runs its policy is known at both, wherever it reports", async () => {
    const { one, other, both } = await two();
    const reports = async (generations: readonly number[]): Promise<(number | undefined)[]> => {
      for (const [at, generation] of generations.entries()) {
        (at % 2 === 0 ? one : other).report("w1", { policy: { ...RUNS, generation, hash: `${generation}` } });
        await pass(8 * SECOND_MS, both);
      }
      const nowMs = one.clock.monotonicMs();
      const since = both.map(({ instances }) => instances.knownOf("gw-1", 0)[0]?.workers.get("w1")?.runsSinceMs);
      return since.map((sinceMs) => sinceMs && (nowMs - sinceMs) / SECOND_MS);
    };
    expect(await reports([1, 1, 1, 1])).toEqual([32, 32]);
    expect(await reports([1, 2, 1, 1])).toEqual([16, 16]);
  });

  it("a worker that falls silent is missed by both, whichever it reported to", async () => {
    const { one, other, both } = await two();
    const watching = (): void => {
      one.watch();
      one.report("w1");
    };
    await pass(MINUTE_MS, both, 5 * SECOND_MS, () => {
      watching();
      other.report("w2");
    });
    const silent = async (): Promise<unknown[]> =>
      Promise.all(both.map(async ({ page }) => (await page())[0]?.silentWorkers));
    expect(await silent()).toEqual([0, 0]);
    await pass(MINUTE_MS, both, 5 * SECOND_MS, watching);
    expect(await silent()).toEqual([1, 1]);
  });

  it("an edge that calls only one control plane is neither silent nor gone at the other", async () => {
    const { one, other, both } = await two();
    await pass(12 * MINUTE_MS, both, 5 * SECOND_MS, () => {
      other.instances.acquired(OF);
      other.report("w1", { policy: RUNS });
    });
    one.instances.forgetGone();
    await pass(2 * SECOND_MS, both);
    expect(await one.page()).toMatchObject([{ edge: "gw-1", instances: [{ silentWorkers: 0 }] }]);
    expect((await one.page())[0]?.state).not.toBe("silent");
    expect(one.instances.status(OF, GRACE_MS)).toBe("current");
  });

  it("an edge that is gone at the one that it called is gone at the other within seconds", async () => {
    const { one, other, both } = await two();
    other.watch()();
    await pass(5 * MINUTE_MS - SECOND_MS, both);
    expect(await one.page()).toMatchObject([{ edge: "gw-1", state: "silent" }]);
    await pass(8 * SECOND_MS, both);
    expect([await one.page(), await other.page()]).toEqual([[], []]);
    await pass(30 * SECOND_MS, both);
    expect(both.map(({ instances }) => instances.count())).toEqual([0, 0]);
  });

  it("an edge that moves from one control plane to the other keeps its one row at both", async () => {
    const { one, other, both } = await two();
    const [left, right] = [one, other];
    for (let turn = 0; turn < 24; turn++) {
      // Longer at each than a run may break.
      const hangUp = (turn % 8 < 4 ? left : right).watch({ address: "192.0.2.7" });
      await pass(20 * SECOND_MS, both);
      hangUp();
    }
    one.watch({ address: "192.0.2.7" });
    await pass(8 * SECOND_MS, both);
    const runs = both.map(({ instances }) => instances.knownOf("gw-1", 0).map(({ run }) => run));
    // Eight minutes without a break, wherever it was seen.
    expect(runs).toMatchObject([
      [{ sinceAgeMs: 488 * SECOND_MS, untilAgeMs: 0, addresses: ["192.0.2.7"] }],
      [{ sinceAgeMs: 488 * SECOND_MS, untilAgeMs: 0, addresses: ["192.0.2.7"] }],
    ]);
  });

  it("an edge that came back after a break began anew then, also where it was before the break", async () => {
    const { one, other, both } = await two();
    const watched = async (plane: typeof one): Promise<void> => {
      const hangUp = plane.watch({ address: "192.0.2.7" });
      await pass(20 * SECOND_MS, both);
      hangUp();
    };
    await watched(one);
    await pass(2 * MINUTE_MS, both);
    await watched(other);
    await watched(one);
    const runs = both.map(({ instances }) => instances.knownOf("gw-1", 0)[0]?.run?.sinceAgeMs);
    expect(runs).toEqual([40 * SECOND_MS, 40 * SECOND_MS]);
  });

  it("two Envoys of one name are seen by both, also where each watches at another control plane", async () => {
    const { one, other, both } = await two();
    const table = { name: "default", capacity: 65_536, records: 0 };
    await pass(MINUTE_MS, both, 5 * SECOND_MS, () => {
      one.watch({ table, address: "192.0.2.7" });
      other.watch({ table, address: "192.0.2.8", instance: "ffeeddccbbaa9988" });
    });
    for (const { page } of both) {
      expect(await page()).toMatchObject([{ double: { tableName: "default", addresses: ["192.0.2.7", "192.0.2.8"] } }]);
    }
  });

  it("an instance that calls one control plane is not a new one at the other", async () => {
    const { one, other, both } = await two();
    other.instances.acquired(OF);
    await pass(3 * SECOND_MS, both);
    const { clock, instances } = one;
    let denied = 0;
    const admission = new InstanceAdmission({ clock, logger: quiet, instances, denied: () => (denied += 1) });
    for (let at = 0; at < 400; at++) admission.take({ edge: "gw-1", instance: at.toString(16).padStart(16, "0") });
    expect(denied).toBeGreaterThan(0);
    expect(admission.take(OF)).toBe(0);
  });

  it("a control plane that starts knows at once who calls the other, and what workers run", async () => {
    const { store, other, both } = await two();
    other.watch();
    other.report("w1", { policy: RUNS });
    await pass(3 * SECOND_MS, both);
    const third = await started(store, "third", other.clock.monotonicMs());
    expect(await third.page()).toEqual(await other.page());
    expect(third.instances.known(0)).toMatchObject([{ isAwaited: false, watching: true }]);
  });
});
