// Copies into a real Redis and out of it, in each direction.
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";

import { nodeTimers } from "../../../src/files/node-timers.js";
import { copyStore } from "../../../src/store/copy/copy-store.js";
import { initStore } from "../../../src/store/open-images.js";
import { openRedisSource, openRedisTarget } from "../../../src/store/redis/image/image.js";
import { copyContract } from "../../contracts/copy-contract.js";
import type { StorePlace } from "../../contracts/copy-contract.js";
import { lmdbPlace } from "../../support/lmdb-place.js";
import { newRedisStore, redisStoreAt, serverAt } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";
import { raisedTo } from "../../support/fleet-budgets.js";

const parts = { random: { bytes: (n: number) => randomBytes(n) }, timers: nodeTimers };

describe("a copy into and out of Redis", () => {
  const server = useServer("Redis 7", { settings: { databases: "256" } });
  const address = (database: number) => serverAt(server().port, { database });
  let places = 0;
  const redis = (): StorePlace => {
    const database = 3 + (places++ % 250);
    return {
      open: () => newRedisStore(address(database)),
      source: () => openRedisSource({ address: address(database), ...parts }, false),
      target: () => openRedisTarget({ address: address(database), ...parts }),
    };
  };

  describe.each([
    ["LMDB", "Redis", lmdbPlace, redis],
    ["Redis", "LMDB", redis, lmdbPlace],
    ["Redis", "Redis", redis, redis],
  ])("from %s to %s", (_from, _to, from, to) => {
    copyContract(() => ({ from: from(), to: to() }));
  });

  it("a store that a control plane works with is neither copied nor copied into", async () => {
    const store = await newRedisStore(address(1));
    await store.edgeStatus.shared?.beat(Date.now(), false);
    await expect(openRedisSource({ address: address(1), ...parts }, false)).rejects.toThrow(
      "a control plane works with the store",
    );
    await expect(openRedisTarget({ address: address(1), ...parts })).rejects.toThrow(
      "a control plane works with the store",
    );
    await (await openRedisSource({ address: address(1), ...parts }, true)).close();
    await store.edgeStatus.shared?.beat(Date.now(), true);
    await (await openRedisTarget({ address: address(1), ...parts })).close();
  });

  it("nothing of how a copy went on stays beside the store that it made", async () => {
    const from = lmdbPlace();
    const store = await from.open();
    await raisedTo(store, 5);
    await store.close();
    const [source, target] = [await from.source(), await openRedisTarget({ address: address(0), ...parts })];
    expect(await copyStore({ source, target, monotonicMs: () => 0, say: () => undefined })).toMatchObject({ ok: true });
    expect(await target.state()).toEqual({ is: "empty" });
    await Promise.all([source.close(), target.close()]);
    expect(await server().command("HGET", "{sluice}:meta", "fleetTime")).toBe("5");
    expect(await server().command("KEYS", "{sluice}:cop*")).toEqual([]);
  });

  it("a server with a part of a copy is not made a new store, nor is one that is a store", async () => {
    const target = await openRedisTarget({ address: address(1), ...parts });
    const next = { kind: "policies", after: null } as const;
    const none = { rows: 0, sum: "0" };
    const small = { policies: none, audit: none, creationKeys: none, revocations: none, fleetTime: none };
    await target.begin({ from: "here", next, digest: { ...small, sessions: none } });
    await target.close();
    await expect(initStore(address(1), parts)).rejects.toThrow("a copy into it was begun");
    expect(await initStore(address(2), parts)).toBe(true);
    const { log } = await (await redisStoreAt(address(2))).position();
    expect(await initStore(address(2), parts)).toBe(false);
    expect((await (await redisStoreAt(address(2))).position()).log).toBe(log);
  });
});
