// Many short runs of the simulation, each from its seed: crashes, losses, restores, pauses. More of them: the long tier, and
// `npm run sim`.
import { describe, expect, it } from "vitest";
import { describeFinding, Simulation } from "./simulate.js";

/** Portions, so that one that fails or takes long says which. */
const PORTION = 60;
const PORTIONS = 3;
const STEPS = 1500;

const simulation = await Simulation.prepared();

describe("two Envoys, the control plane, and everything that can go wrong between them", () => {
  it.each(Array.from({ length: PORTIONS }, (_, index) => 1 + index * PORTION))(
    `${PORTION} runs from seed %i keep every invariant`,
    async (first) => {
      for (let seed = first; seed < first + PORTION; seed++) {
        const finding = await simulation.run(seed, STEPS);
        expect(finding === undefined ? "" : describeFinding(finding)).toBe("");
      }
    },
    180_000,
  );

  it("a run comes out the same from the same seed, so that a finding can be looked at", async () => {
    const [first, again] = [await simulation.trace(7, STEPS), await simulation.trace(7, STEPS)];
    expect(again).toEqual(first);
    expect(await simulation.trace(8, STEPS)).not.toEqual(first);
  });
});
