// Short runs of the simulation of leases, each from its seed: three Envoys, one or two control planes, one store, and all that
// can go wrong between them. More of them: the long tier, and `npm run sim:leases`.
import { describe, expect, it } from "vitest";
import { describeFinding } from "../simulate.js";
import { LeaseSimulation } from "./simulate-leases.js";

/** Portions, so that one that fails or takes long says which. */
const PORTION = 9;
const PORTIONS = 3;
const STEPS = 700;

const simulation = new LeaseSimulation();

describe("one budget over three Envoys, and everything that can go wrong with its leases", () => {
  it.each(Array.from({ length: PORTIONS }, (_, index) => 1 + index * PORTION))(
    `${PORTION} runs of leases from seed %i let in no more than the budget has, and no less`,
    async (first) => {
      for (let seed = first; seed < first + PORTION; seed++) {
        const finding = await simulation.run(seed, STEPS);
        expect(finding === undefined ? "" : describeFinding(finding)).toBe("");
      }
    },
    180_000,
  );

  it("a run of leases comes out the same from the same seed", async () => {
    const first = await simulation.trace(7, STEPS);
    expect(await simulation.trace(7, STEPS)).toEqual(first);
    expect(await simulation.trace(8, STEPS)).not.toEqual(first);
  });
});
