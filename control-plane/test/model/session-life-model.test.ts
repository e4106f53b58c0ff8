// Whatever happens to sessions, in whatever order, the control plane shows what a few plain maps say it must.
import { describe, it } from "vitest";

import { LmdbLife, RedisLife } from "./life-engines.js";
import { expectLives, livesTimeoutMs } from "./lives.js";
import { useServer } from "../support/servers/use-server.js";

const RUNS = 40;
/** A command takes some round trips. test/long has more. */
const RUNS_OVER_SERVER = 2;

describe("the life of sessions", () => {
  it(
    "the control plane shows what the model says, after every command",
    () => expectLives(() => new LmdbLife(), RUNS),
    livesTimeoutMs(RUNS),
  );
});

describe.each(["Redis 7", "Valkey 9"] as const)("the life of sessions over %s", (name) => {
  const server = useServer(name);

  it(
    "two control planes over a real server show in turns what the model says",
    () => expectLives(() => new RedisLife(server().port), RUNS_OVER_SERVER),
    livesTimeoutMs(RUNS_OVER_SERVER),
  );
});
