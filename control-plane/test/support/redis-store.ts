// A store in a real Redis or Valkey, and the processes over it, which go with the test.
import { randomBytes } from "node:crypto";
import { onTestFinished } from "vitest";

import { nodeTimers } from "../../src/files/node-timers.js";
import { createRedisStore } from "../../src/store/redis/create-store.js";
import type { RedisAddress } from "../../src/store/store-address.js";
import { RedisStore } from "../../src/store/redis/store.js";
import type { RedisStoreParts } from "../../src/store/redis/store.js";
import { quiet } from "./quiet-logger.js";
import { withVerbs } from "./store-verbs.js";
import type { WithVerbs } from "./store-verbs.js";

export type RedisStoreOfTests = WithVerbs<RedisStore>;

const random = { bytes: (n: number) => randomBytes(n) };

export const uncounted = {
  ...{ conflicted: () => undefined, gaveUp: () => undefined },
  ...{ lost: () => undefined, durable: () => undefined },
};

/** The server on a port of this machine. */
export const serverAt = (port: number, more: Partial<RedisAddress> = {}): RedisAddress => ({
  ...{ engine: "redis", hosts: [{ host: "127.0.0.1", port }], sentinel: null, tls: null, database: 0, replicas: 0 },
  ...{ username: null, password: null, setting: "SLUICE_STORE", shown: `redis://127.0.0.1:${port}` },
  ...more,
});

/** A further process over the store that stands there. */
export async function redisStoreAt(
  address: RedisAddress,
  more: Partial<RedisStoreParts> = {},
): Promise<RedisStoreOfTests> {
  const parts = { address, random, timers: nodeTimers, logger: quiet, meter: uncounted };
  const store = await RedisStore.open({ ...parts, ...more });
  onTestFinished(() => store.close());
  return withVerbs(store);
}

/** The first one, which makes the store. */
export async function newRedisStore(
  address: RedisAddress,
  more: Partial<RedisStoreParts> = {},
): Promise<RedisStoreOfTests> {
  await createRedisStore(address, random, nodeTimers);
  return redisStoreAt(address, more);
}
