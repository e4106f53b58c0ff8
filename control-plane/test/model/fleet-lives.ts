// Lives of fleet budgets, chosen at random over a store: after every command they are held against the model.
import fc from "fast-check";
import { expect } from "vitest";

import type { PlanOfPolicy } from "../../src/domain/plan.js";
import type { FleetCommand } from "./fleet-life-command.js";
import { OF_ENVOYS } from "./fleet-life-edges.js";
import type { FleetEngine } from "./fleet-life-engines.js";
import { anyPlans, issue, OF_OPERATORS_AND_TIME, RARE } from "./fleet-life-operators.js";
import { FleetLife } from "./fleet-life.js";
import { FleetModel } from "./fleet-life-model.js";

/** More by the environment, and a seed that repeats what it found, as for lives of sessions (lives.ts). */
const ASKED = process.env["SLUICE_LIFE_RUNS"];
const SEED = process.env["SLUICE_LIFE_SEED"];
const COMMANDS_A_RUN = 150;
const A_RUN_AT_MOST_MS = 10_000;

const limitMs = (runs: number): number => Number(ASKED ?? runs) * A_RUN_AT_MOST_MS;

/** How long a test of so many runs may take. */
export const fleetLivesTimeoutMs = (runs: number): number => 2 * limitMs(runs);

/** @param engine a new one a run. Fails too where time is up before all runs are done, or nothing was ever granted */
export async function expectFleetLives(engine: () => FleetEngine, runs: number): Promise<void> {
  // Each of the others as often as they stand there, twice.
  const common = [...OF_ENVOYS, ...OF_OPERATORS_AND_TIME];
  const commands = fc.commands([...common, ...common, ...RARE], { maxCommands: COMMANDS_A_RUN, size: "max" });
  const numRuns = Number(ASKED ?? runs);
  let [done, granted] = [0, 0];
  const property = fc.asyncProperty(anyPlans, commands, async (plans, chosen) => {
    granted += await expectFleetLife(engine(), plans, chosen);
    done += 1;
  });
  const seed = SEED === undefined ? {} : { seed: Number(SEED) };
  await fc.assert(property, { numRuns, interruptAfterTimeLimit: limitMs(runs), ...seed });
  expect(done).toBe(numRuns);
  expect(granted).toBeGreaterThan(0);
}

/** Answers how many asks were granted something. */
async function expectFleetLife(
  engine: FleetEngine,
  plans: readonly PlanOfPolicy[],
  chosen: Iterable<FleetCommand>,
): Promise<number> {
  const model = new FleetModel(plans);
  const life = new FleetLife(engine);
  try {
    await life.start(plans);
    await issue(model, life);
    await fc.asyncModelRun(() => ({ model, real: life }), chosen);
    return model.sessions.reduce((sum, { grants }) => sum + grants, 0);
  } finally {
    await life.end();
  }
}
