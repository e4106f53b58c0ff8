// The model of a fleet budget's life, over real servers that are killed and come back with less, for as many runs as it takes to
// meet what is rare.
import { describe, it } from "vitest";
import { LmdbFleet, MemoryFleet, RedisFleet } from "../../control-plane/test/model/fleet-life-engines.js";
import { expectFleetLives, fleetLivesTimeoutMs } from "../../control-plane/test/model/fleet-lives.js";
import { useServer } from "../../control-plane/test/support/servers/use-server.js";

const RUNS = { server: 25, memory: 400, lmdb: 60 };

describe.each(["Redis 7", "Valkey 9"] as const)("many lives of fleet budgets over %s", (name) => {
  const server = useServer(name);

  it(
    "a server that fails over never lets edges spend more than a budget has",
    () => expectFleetLives(() => new RedisFleet(server()), RUNS.server),
    fleetLivesTimeoutMs(RUNS.server),
  );
});

describe("many lives of fleet budgets", () => {
  it(
    "two control planes never let edges spend more than a budget has, in many lives",
    () => expectFleetLives(() => new MemoryFleet(), RUNS.memory),
    fleetLivesTimeoutMs(RUNS.memory),
  );

  it(
    "a folder that is restored never lets edges spend more than a budget has, in many lives",
    () => expectFleetLives(() => new LmdbFleet(), RUNS.lmdb),
    fleetLivesTimeoutMs(RUNS.lmdb),
  );
});
