// A Redis whose writes replicas must have: nothing is acknowledged that only the primary has, whoever wrote it.
import { expect, it, onTestFinished, vi } from "vitest";

import { newRedisStore, redisStoreAt, serverAt } from "../../support/redis-store.js";
import { StoreServer } from "../../support/servers/store-server.js";
import { useProgram, useServer } from "../../support/servers/use-server.js";
import { sessionAt } from "../../support/sessions.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const program = useProgram("Redis 7");
const server = useServer("Redis 7");

it("what is repeated, and was written without a replica, is acknowledged once a replica has it", async () => {
  const alone = await newRedisStore(serverAt(server().port));
  const session = sessionAt(NOW_MS);
  await alone.create(session);
  await alone.revoke(session.id, NOW_MS);
  const store = await redisStoreAt(serverAt(server().port, { replicas: 1 }));
  await expect(store.revoke(session.id, NOW_MS)).rejects.toThrow("0 of 1 replicas");
  const replica = await StoreServer.start(program(), { replicaOf: server().port });
  onTestFinished(() => replica.remove());
  await vi.waitFor(
    async () => {
      store.health.look();
      expect(await store.revoke(session.id, NOW_MS)).toMatchObject({ newly: false });
    },
    { timeout: 10_000, interval: 20 },
  );
  expect(await replica.command("HGET", "{sluice}:meta", "cursor")).toBe("1");
});
