// Where the log of a real Redis stands, as many ask at the same time.
import { describe, expect, it } from "vitest";

import { newRedisStore, serverAt } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";
import { sessionAt } from "../../support/sessions.js";

describe("the position of the log in Redis", () => {
  const server = useServer("Redis 7");
  const scripts = async (): Promise<number> => {
    const stats = (await server().command("INFO", "commandstats")) as string;
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };

  it("a server is asked once by all that ask in one turn", async () => {
    const store = await newRedisStore(serverAt(server().port));
    const before = await scripts();
    const positions = await Promise.all(Array.from({ length: 20 }, () => store.position()));
    expect((await scripts()) - before).toBe(1);
    expect(new Set(positions.map(({ cursor }) => cursor))).toEqual(new Set([0]));
  });

  it("a revocation is in every position that is asked for after it", async () => {
    const store = await newRedisStore(serverAt(server().port));
    const session = sessionAt(1);
    await store.create(session);
    const earlier = store.position();
    await store.revoke(session.id, 2);
    expect((await store.position()).cursor).toBe(1);
    expect((await earlier).cursor).toBe(0);
  });
});
