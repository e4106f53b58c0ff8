// Two control planes over a real Redis that comes back without the newest policy.
import { describe, expect, it, vi } from "vitest";

import { Follower, generations, settled, text } from "../../support/followers.js";
import { newRedisStore, redisStoreAt, serverAt } from "../../support/redis-store.js";
import type { RedisStoreOfTests } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";

async function writable(store: RedisStoreOfTests): Promise<void> {
  await vi.waitFor(
    () => {
      store.health.look();
      expect(store.health.unwritable()).toBeUndefined();
    },
    { timeout: 10_000, interval: 20 },
  );
}

/** Looks until it shows this. */
const until = (one: Follower, shows: readonly unknown[]): Promise<void> =>
  vi.waitFor(
    async () => {
      await one.look();
      expect(await one.shows()).toEqual(shows);
    },
    { timeout: 10_000, interval: 20 },
  );

describe("a Redis that lost the newest policy", () => {
  const server = useServer("Redis 7");

  it("the policy in force is saved again above its number, and both control planes serve it", async () => {
    const stores = [await newRedisStore(serverAt(server().port)), await redisStoreAt(serverAt(server().port))] as const;
    const [a, b] = [await new Follower(stores[0]).start(text(1)), await new Follower(stores[1]).start(text(1))];
    await server().command("SAVE");
    await a.save(text(2));
    await b.save(text(2));
    expect([await b.shows(), await generations(b)]).toEqual([[2, 2, "taken"], 2]);
    const before = await stores[0].position();
    await server().kill();
    await server().restart();
    for (const store of stores) await writable(store);
    expect([await generations(a), (await stores[0].position()).log === before.log]).toEqual([1, false]);
    await until(a, [3, 2, "taken"]);
    await until(b, [3, 2, "taken"]);
    await settled();
    const published = [a, b].map(({ service }) => service.published("gw-1").hash);
    expect([await generations(a), new Set(published).size]).toEqual([3, 1]);
    expect([a, b].flatMap((one) => one.logged("policy-generation-lost"))).toMatchObject([
      { lost: 2, stored: 1, generation: 3 },
    ]);
    expect(await stores[1].policies.policy(3)).toMatchObject({ hash: published[0], source: "policy.yaml" });
  });
});
