// What another process commits to a real Redis is told at once, by a message: no look has to find it.
import { describe, expect, it } from "vitest";

import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { newRedisStore, redisStoreAt, serverAt } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";
import { sessionAt } from "../../support/sessions.js";
import { until } from "../../support/until.js";

const NOW_MS = Date.UTC(2026, 0, 1);

describe.each(["Redis 7", "Valkey 9"] as const)("two processes over one store in %s", (name) => {
  const server = useServer(name);

  it("a process hears of a revocation by another one, though no time passes for it", async () => {
    const writing = await newRedisStore(serverAt(server().port));
    // Its looks each second never come.
    const timers = new ManualTimers(new FixedClock(NOW_MS));
    const hearing = await redisStoreAt(serverAt(server().port), { timers });
    const heard: object[] = [];
    hearing.invalidations.subscribe((advance) => heard.push(advance));
    const session = sessionAt(NOW_MS);
    await writing.create(session);
    await writing.revoke(session.id, NOW_MS);
    await until(() => {
      expect(heard).toEqual([{ log: expect.any(String) as unknown, cursor: 1, revoked: true }]);
    });
  });
});
