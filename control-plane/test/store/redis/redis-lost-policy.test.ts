// Two control planes over a real Redis that comes back without the newest policy.
import { describe, expect, it } from "vitest";

import { Follower, generations, settled, text } from "../../support/followers.js";
import { newRedisStore, redisStoreAt, serverAt } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";
import { isWritable, untilStore } from "../../support/store-waits.js";
import { until } from "../../support/until.js";

/** Looks until it shows this. */
const untilShown = (one: Follower, shows: readonly unknown[]): Promise<void> =>
  until(async () => {
    await one.look();
    expect(await one.shows()).toEqual(shows);
  });

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
    for (const store of stores) await untilStore(store, isWritable(store));
    expect([await generations(a), (await stores[0].position()).log === before.log]).toEqual([1, false]);
    await untilShown(a, [3, 2, "taken"]);
    await untilShown(b, [3, 2, "taken"]);
    await settled();
    const published = [a, b].map(({ service }) => service.published("gw-1").hash);
    expect([await generations(a), new Set(published).size]).toEqual([3, 1]);
    expect([a, b].flatMap((one) => one.logged("policy-generation-lost"))).toMatchObject([
      { lost: 2, stored: 1, generation: 3 },
    ]);
    expect(await stores[1].policies.policy(3)).toMatchObject({ hash: published[0], source: "policy.yaml" });
  });
});
