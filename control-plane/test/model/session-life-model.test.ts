// Whatever happens to sessions, in whatever order, the control plane shows what a few plain maps say it must.
import fc from "fast-check";
import { describe, it } from "vitest";

import { sweepSessions } from "../../src/app/upkeep/sweep-sessions.js";
import { expectNothingKept } from "./session-life-model-checks.js";
import { OF_CLIENTS } from "./session-life-model-clients.js";
import { OF_EDGES } from "./session-life-model-edges.js";
import { FIRST_POLICY, OF_OPERATORS } from "./session-life-model-operators.js";
import { LmdbLife, RedisLife } from "./life-engines.js";
import type { LifeEngine } from "./life-engines.js";
import { useServer } from "../support/servers/use-server.js";
import { OF_TIME } from "./session-life-model-time.js";
import { SessionLifeModel } from "./session-life-model.js";
import { SessionLife } from "./session-life.js";

/** More by the environment: `SLUICE_LIFE_RUNS=2000 npm run unit:node -- session-life-model`; a seed repeats what it found. */
const ASKED = process.env["SLUICE_LIFE_RUNS"];
const SEED = process.env["SLUICE_LIFE_SEED"];
const COMMANDS_A_RUN = 100;
/** A run takes about a third of a second, over a server a whole one; this bounds the search for the shortest commands too. */
const LIMIT_MS = ASKED === undefined ? 20_000 : Number(ASKED) * 3000;
/** Past every lifetime, idle limit and key. */
const LONG_MS = 100 * 86_400_000;

/** @param engine a new one a run */
async function expectLives(engine: () => LifeEngine, runs: number): Promise<void> {
  const commands = fc.commands([...OF_CLIENTS, ...OF_EDGES, ...OF_OPERATORS, ...OF_TIME], {
    maxCommands: COMMANDS_A_RUN,
    size: "max",
  });
  const property = fc.asyncProperty(commands, async (chosen) => {
    const model = new SessionLifeModel(FIRST_POLICY);
    const life = new SessionLife(() => model.policy, engine());
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
  });
  const seed = SEED === undefined ? {} : { seed: Number(SEED) };
  await fc.assert(property, { numRuns: Number(ASKED ?? runs), interruptAfterTimeLimit: LIMIT_MS, ...seed });
}

describe("the life of sessions", () => {
  it(
    "the control plane shows what the model says, after every command",
    () => expectLives(() => new LmdbLife(), 40),
    2 * LIMIT_MS,
  );
});

describe.each(["Redis 7", "Valkey 9"] as const)("the life of sessions over %s", (name) => {
  const server = useServer(name);

  it(
    "a control plane over a real server shows what the model says, after every command",
    () => expectLives(() => new RedisLife(server().port), 6),
    2 * LIMIT_MS,
  );
});
