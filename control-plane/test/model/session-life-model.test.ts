// Whatever happens to sessions, in whatever order, the control plane shows what a few plain maps say it must.
import fc from "fast-check";
import { describe, it } from "vitest";

import { sweepSessions } from "../../src/app/upkeep/sweep-sessions.js";
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
const RUNS = Number(ASKED ?? 40);
const COMMANDS_A_RUN = 100;
/** A run takes about a third of a second; this bounds the search for the shortest commands that show a violation, too. */
const LIMIT_MS = ASKED === undefined ? 15_000 : RUNS * 1000;
/** Past every lifetime, idle limit and key. */
const LONG_MS = 100 * 86_400_000;

describe("the life of sessions", () => {
  it(
    "the control plane shows what the model says, after every command",
    async () => {
      const commands = fc.commands([...OF_CLIENTS, ...OF_EDGES, ...OF_OPERATORS, ...OF_TIME], {
        maxCommands: COMMANDS_A_RUN,
        size: "max",
      });
      const property = fc.asyncProperty(commands, async (chosen) => {
        const model = new SessionLifeModel(FIRST_POLICY);
        const life = new SessionLife(() => model.policy);
        try {
          await life.start();
          model.begin(await life.process.store.position(), life.clock.nowMs());
          await fc.asyncModelRun(() => ({ model, real: life }), chosen);
          life.timers.advance(LONG_MS);
          for (let i = 0; i < 2; i++) await sweepSessions(life.process.ports, () => false);
          expectNothingKept(life.process.store.db);
        } finally {
          await life.end();
        }
      });
      const seed = SEED === undefined ? {} : { seed: Number(SEED) };
      await fc.assert(property, { numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS, ...seed });
    },
    2 * LIMIT_MS,
  );
});
