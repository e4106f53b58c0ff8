// Lives of sessions, chosen at random over a store: each is compared with the model's after every command.
import fc from "fast-check";
import { expect } from "vitest";

import { sweepSessions } from "../../src/app/upkeep/sweep-sessions.js";
import type { LifeEngine } from "./life-engines.js";
import { expectNothingKept } from "./session-life-model-checks.js";
import { OF_CLIENTS } from "./session-life-model-clients.js";
import { OF_EDGES } from "./session-life-model-edges.js";
import { FIRST_POLICY, OF_OPERATORS } from "./session-life-model-operators.js";
import { OF_TIME } from "./session-life-model-time.js";
import { SessionLifeModel } from "./session-life-model.js";
import { SessionLife } from "./session-life.js";

/** More by the environment: `SLUICE_LIFE_RUNS=2000 npm run unit:node -- session-life-model`; a seed repeats what it found. */
const ASKED = process.env["SLUICE_LIFE_RUNS"];
const SEED = process.env["SLUICE_LIFE_SEED"];
const COMMANDS_A_RUN = 100;
/** Many times what one takes on a machine that has nothing else to do: a search for the shortest commands ends by it, too. */
const A_RUN_AT_MOST_MS = 10_000;
/** Past every lifetime, idle limit and key. */
const LONG_MS = 100 * 86_400_000;

/** How long a test of so many runs may take. */
export const livesTimeoutMs = (runs: number): number => 2 * limitMs(runs);

const limitMs = (runs: number): number => Number(ASKED ?? runs) * A_RUN_AT_MOST_MS;

/** @param engine a new one a run. Fails too where time is up before all runs are done */
export async function expectLives(engine: () => LifeEngine, runs: number): Promise<void> {
  const commands = fc.commands([...OF_CLIENTS, ...OF_EDGES, ...OF_OPERATORS, ...OF_TIME], {
    maxCommands: COMMANDS_A_RUN,
    size: "max",
  });
  const numRuns = Number(ASKED ?? runs);
  let done = 0;
  const property = fc.asyncProperty(commands, async (chosen) => {
    await expectLife(engine(), chosen);
    done += 1;
  });
  const seed = SEED === undefined ? {} : { seed: Number(SEED) };
  await fc.assert(property, { numRuns, interruptAfterTimeLimit: limitMs(runs), ...seed });
  expect(done).toBe(numRuns);
}

type Commands = Iterable<fc.AsyncCommand<SessionLifeModel, SessionLife>>;

async function expectLife(engine: LifeEngine, chosen: Commands): Promise<void> {
  const model = new SessionLifeModel(FIRST_POLICY);
  const life = new SessionLife(() => model.policy, engine);
  try {
    await life.start();
    model.begin(await life.process.store.position(), life.clock.nowMs());
    await fc.asyncModelRun(() => ({ model, real: life }), chosen);
    life.timers.advance(LONG_MS);
    for (let i = 0; i < 2; i++) await sweepSessions(life.process.ports, () => false);
    await expectNothingKept(life);
  } finally {
    await life.end();
  }
}
