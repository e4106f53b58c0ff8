// A control plane whose writes the store does not take, beside one whose writes it does.
import { describe, expect, it } from "vitest";

import { OtherProcesses } from "../../../../src/app/edges/processes/other-processes.js";
import { EdgeRegistry } from "../../../../src/app/edges/status/edge-registry.js";
import { FixedClock } from "../../../support/fixed-clock.js";
import { ManualTimers } from "../../../support/manual-timers.js";
import { pass, SECOND_MS, SharedStore, started, two } from "../../../support/processes.js";
import { quiet } from "../../../support/quiet-logger.js";

describe("a control plane that cannot write what it hears of edges", () => {
  it("a control plane that starts so shows what others stored, and is there once it can write", async () => {
    const { store, one, both } = await two();
    one.watch();
    await pass(4 * SECOND_MS, both);
    store.refused.add("third");
    const third = await started(store, "third", one.clock.nowMs());
    expect(await third.page()).toMatchObject([{ edge: "gw-1", watching: true }]);
    const stored = async (): Promise<string[]> => {
      const { processes } = await store.of("one").shared.changedAfter(0, 10);
      return processes.map(({ process }) => process);
    };
    expect(await stored()).not.toContain("third");
    store.refused.clear();
    await pass(SECOND_MS, [third]);
    expect(await stored()).toContain("third");
  });

  it("what another one stores is shown meanwhile, however long that lasts", async () => {
    const { store, one, other, both } = await two();
    store.refused.add("one");
    await pass(8 * SECOND_MS, both);
    other.watch();
    await pass(4 * SECOND_MS, both);
    expect(await one.page()).toMatchObject([{ edge: "gw-1", watching: true }]);
  });

  it("a start in whose midst the store went away reads all of it the second time", async () => {
    const store = new SharedStore();
    const one = await started(store, "one", Date.UTC(2026, 0, 1));
    one.watch();
    await pass(4 * SECOND_MS, [one]);
    const read = store.of("two");
    let pages = 0;
    const shared: typeof read.shared = {
      ...read.shared,
      // The second page of the first reading fails.
      changedAfter: async (mark, limit) => {
        pages += 1;
        if (pages === 2) throw new Error("the store is away");
        const said = await read.shared.changedAfter(mark, limit);
        return pages === 1 ? { ...said, isAll: false } : said;
      },
    };
    const clock = new FixedClock(one.clock.nowMs());
    const registry = new EdgeRegistry({ clock, policies: one.policies });
    const parts = { shared, registry, log: store, clock, timers: new ManualTimers(clock), logger: quiet };
    const others = new OtherProcesses(parts);
    await expect(others.start()).rejects.toThrow("the store is away");
    await others.start();
    expect(registry.known(0)).toMatchObject([{ edge: "gw-1" }]);
  });
});
