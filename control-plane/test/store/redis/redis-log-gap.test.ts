// A log in a real Redis where a commit that broke off has taken a number for itself.
import { describe, expect, it } from "vitest";

import { RedisEngine } from "../../../src/store/redis/engine.js";
import { KEYS } from "../../../src/store/redis/keys.js";
import { newRedisStore, redisStoreAt, serverAt } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";

const NOW_MS = Date.UTC(2026, 0, 1);

describe("a log in which numbers were taken and never written", () => {
  const server = useServer("Redis 7");

  it("an edge before a gap of the log is told what stands before it, and then begins anew", async () => {
    const store = await newRedisStore(serverAt(server().port));
    const engine = new RedisEngine(store["reads"], store["commits"]);
    const append = (sessionId: string) =>
      engine.commit({ invalidations: [{ kind: "refresh", sessionId, atMs: NOW_MS }] }, new Map());
    const { log } = await store.position();
    await append("a");
    await server().command("HINCRBY", KEYS.meta, "cursor", "1");
    await append("c");
    const fresh = await redisStoreAt(serverAt(server().port));
    for (const { invalidations } of [store, fresh]) {
      await invalidations.told();
      const first = await invalidations.read({ log, cursor: 0 }, 9);
      expect(first).toMatchObject({ kind: "entries", position: { cursor: 1 }, entries: [{ sessionId: "a" }] });
      expect(await invalidations.read({ log, cursor: 1 }, 9)).toMatchObject({
        kind: "outOfReach",
        position: { cursor: 3 },
      });
      expect(await invalidations.read({ log, cursor: 2 }, 9)).toMatchObject({ entries: [{ sessionId: "c" }] });
    }
  });
});
