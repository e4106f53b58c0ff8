// More runs of the simulation than npm test has time for, from the seed where that ends.
import { expect, it } from "vitest";
import { describeFinding, Simulation } from "../sim/simulate.js";

const FIRST_SEED = 181;
const PORTION = 500;
const PORTIONS = 4;
const STEPS = 1500;

const simulation = await Simulation.prepared();

it.each(Array.from({ length: PORTIONS }, (_, index) => FIRST_SEED + index * PORTION))(
  `${PORTION} more runs of two Envoys and a control plane from seed %i keep every invariant`,
  async (first) => {
    for (let seed = first; seed < first + PORTION; seed++) {
      const finding = await simulation.run(seed, STEPS);
      expect(finding === undefined ? "" : describeFinding(finding)).toBe("");
    }
  },
);
