// Whatever happens to Envoys, control planes and the store, one budget over all of them is never overspent, and asks are answered
// as their numbers say. test/long has many more lives, over real servers.
import { describe, it } from "vitest";

import { LmdbFleet, MemoryFleet } from "./fleet-life-engines.js";
import { expectFleetLives, fleetLivesTimeoutMs } from "./fleet-lives.js";

const RUNS = { memory: 12, lmdb: 2 };

describe("the life of fleet budgets", () => {
  it(
    "two control planes never let edges spend more than a budget holds and gains",
    () => expectFleetLives(() => new MemoryFleet(), RUNS.memory),
    fleetLivesTimeoutMs(RUNS.memory),
  );

  it(
    "a folder that is restored never lets edges spend more than a budget has",
    () => expectFleetLives(() => new LmdbFleet(), RUNS.lmdb),
    fleetLivesTimeoutMs(RUNS.lmdb),
  );
});
