// A command of a fleet's life: after each, what was let through and what is shown is held against the model.
import type fc from "fast-check";

import { expectShown, expectWithinBound } from "./fleet-life-checks.js";
import type { FleetLife } from "./fleet-life.js";
import type { FleetModel } from "./fleet-life-model.js";

export type FleetCommand = fc.AsyncCommand<FleetModel, FleetLife>;

export function command<Said>(
  name: string,
  said: fc.Arbitrary<Said>,
  act: (said: Said, model: FleetModel, life: FleetLife) => Promise<void>,
): fc.Arbitrary<FleetCommand> {
  return said.map((one) => ({
    check: () => true,
    run: async (model, life) => {
      await act(one, model, life);
      expectWithinBound(model, life);
      for (const nth of life.isShared ? [0, 1] : [0]) await expectShown(model, life, nth);
    },
    toString: () => `${name}(${JSON.stringify(one)})`,
  }));
}
