// The model of a session's life, over real servers, for as many runs as it takes to meet what is rare.
import { describe, it } from "vitest";
import { RedisLife } from "../../control-plane/test/model/life-engines.js";
import { expectLives, livesTimeoutMs } from "../../control-plane/test/model/lives.js";
import { useServer } from "../../control-plane/test/support/servers/use-server.js";

const RUNS = 60;

describe.each(["Redis 7", "Valkey 9"] as const)("many lives of sessions over %s", (name) => {
  const server = useServer(name);

  it(
    "two control planes over a real server show what the model says, in many lives",
    () => expectLives(() => new RedisLife(server().port), RUNS),
    livesTimeoutMs(RUNS),
  );
});
