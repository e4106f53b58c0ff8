// npm run fleet for some seconds each, as it is and with each fault: one budget over three Envoys is never spent twice.
import { describe, expect, it } from "vitest";

import { FAULTS } from "../../fleet/arguments.js";
import { EDGES } from "../../fleet/figures/demand.js";
import { FleetProcess, useFleetProgram } from "./fleet-process.js";

useFleetProgram();

const SECONDS = ["--seconds", "8"];
/** What is at the Envoys at the end counts as unused: in a longer run it is a smaller part. */
const LONGER = ["--seconds", "20"];
const LEAST_USE = 0.94;
/** For each thousand that are admitted, of one Envoy: beside reports and watches, which there are without leases too. */
const MOST_CALLS = 20;

describe("one budget over three Envoys", () => {
  it.each(["redis", "valkey"])(
    "Envoys over %s admit one budget in every window, and use nearly all of it",
    async (store) => {
      const { figures } = await new FleetProcess(...LONGER, "--store", store).reported();
      expect(figures.over).toBe(0);
      expect(figures.use).toBeGreaterThanOrEqual(LEAST_USE);
    },
  );

  it("Envoys ask for leases at most 20 times each for a thousand requests that they admit", async () => {
    const { figures, calls } = await new FleetProcess(...LONGER).reported();
    expect((1000 * calls.lease) / figures.admitted).toBeLessThanOrEqual(MOST_CALLS * EDGES);
  });

  it.each(Object.entries(FAULTS))("Envoys admit one budget in every window through %s: %s", async (fault) => {
    const run = new FleetProcess(...SECONDS, "--fault", fault);
    const { figures, isBack } = await run.reported();
    expect(run.said).toContain(FAULTS[fault as keyof typeof FAULTS]);
    expect(figures.over).toBe(0);
    // Otherwise there was nothing to be admitted twice.
    expect(isBack).toBe(true);
  });

  it("a counter is asked for each request, Sluice for few, and a budget each admits too much", async () => {
    const { compared } = await new FleetProcess(...SECONDS, "--compare").reported();
    expect(compared?.["counter.callsPerThousand"]).toBeCloseTo(1000, -1);
    expect(compared?.["counter.over"]).toBe(0);
    expect(compared?.["sluice.callsPerThousand"]).toBeLessThan(200);
    expect(compared?.["sluice.over"]).toBe(0);
    expect(compared?.["sluice.waitedShare"]).toBeLessThan(1);
    expect(compared?.["each.waitedShare"]).toBe(0);
    expect(compared?.["each.over"]).toBeGreaterThan(0);
    for (const lane of ["sluice", "each", "counter"])
      for (const figure of ["addedP50Ms", "addedP99Ms", "admitted", "bound", "use"])
        expect(compared?.[`${lane}.${figure}`]).toBeTypeOf("number");
  });
});

it("Envoys with a budget each are seen to admit more than one", async () => {
  const run = new FleetProcess(...SECONDS, "--scope", "edge");
  const { figures } = await run.reported();
  expect(figures.over).toBeGreaterThan(100);
  expect(await run.exitCode()).toBe(1);
});
