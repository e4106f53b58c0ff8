// More runs of the simulation of leases than npm test has time for, from the seed where that ends.
import { expect, it } from "vitest";
import { LeaseSimulation } from "../sim/leases/simulate-leases.js";
import { describeFinding } from "../sim/simulate.js";

const FIRST_SEED = 28;
const PORTION = 500;
const PORTIONS = 4;
const STEPS = 700;

const simulation = new LeaseSimulation();

it.each(Array.from({ length: PORTIONS }, (_, index) => FIRST_SEED + index * PORTION))(
  `${PORTION} more runs of leases over three Envoys from seed %i keep every invariant`,
  async (first) => {
    for (let seed = first; seed < first + PORTION; seed++) {
      const finding = await simulation.run(seed, STEPS);
      expect(finding === undefined ? "" : describeFinding(finding)).toBe("");
    }
  },
);
