// A Redis with a replica: what a write waits for, what a failover keeps, and how its loss is told.
import { describe, expect, it, onTestFinished } from "vitest";

import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import type { RedisAddress } from "../../../src/store/store-address.js";
import { newRedisStore, redisStoreAt, serverAt, uncounted } from "../../support/redis-store.js";
import { SentinelSet } from "../../support/servers/sentinel-set.js";
import { StoreServer } from "../../support/servers/store-server.js";
import { useProgram, useServer } from "../../support/servers/use-server.js";
import { sessionAt } from "../../support/sessions.js";
import { isWritable, untilStore } from "../../support/store-waits.js";
import { until } from "../../support/until.js";

const NOW_MS = Date.UTC(2026, 0, 1);

const lasting = { appendonly: true, appendfsync: "always" } as const;

describe("a store with a replica and sentinels", () => {
  const program = useProgram("Redis 7");

  async function started(replicas: number) {
    const set = await SentinelSet.start(program(), { server: lasting });
    onTestFinished(() => set.remove());
    const hosts = set.sentinels.map(({ port }) => ({ host: "127.0.0.1", port }));
    const sentinel = { hosts, master: "sluice", username: null, password: null };
    const address: RedisAddress = { ...serverAt(0, { sentinel, replicas }), hosts: [] };
    const lost: number[] = [];
    const meter = { ...uncounted, lost: (commits: number) => lost.push(commits) };
    return { set, address, lost, store: await newRedisStore(address, { meter }) };
  }

  it("what was acknowledged outlives the primary, and the replica goes on under another log", async () => {
    const { set, store, lost } = await started(1);
    const sessions = Array.from({ length: 30 }, () => sessionAt(NOW_MS));
    await Promise.all(sessions.map((session) => store.create(session)));
    await store.revoke(sessions[0]?.id ?? "", NOW_MS + 1);
    const before = await store.position();
    const primary = await set.primary();
    await primary.server.kill();
    await set.failedOver(primary);
    await untilStore(store, isWritable(store));
    const found = await Promise.all(sessions.map(({ id }) => store.find(id)));
    expect(found.map((one) => one?.revokedAt)).toEqual(sessions.map((_, i) => (i === 0 ? NOW_MS + 1 : null)));
    expect(await store.invalidations.read(before, 10)).toMatchObject({ kind: "outOfReach" });
    expect(lost).toEqual([]);
  });

  it("a write that no replica has is not acknowledged, and writes go on once one has", async () => {
    const { set, store } = await started(1);
    const replica = await set.replica();
    replica.server.pause();
    const session = sessionAt(NOW_MS);
    await expect(store.create(session)).rejects.toThrow("0 of 1 replicas have confirmed a write within 1000 ms");
    // It stands, and would not outlive the primary: nobody is told that it does.
    await expect(store.create(session)).rejects.toThrow(StoreUnwritable);
    replica.server.resume();
    await untilStore(store, isWritable(store));
    await store.create(sessionAt(NOW_MS));
  });

  it("what a failover lost is counted where no replica was waited for", async () => {
    const { set, address, store, lost } = await started(0);
    const kept = sessionAt(NOW_MS);
    await store.create(kept);
    const primary = await set.primary();
    await set.complete();
    // The replica hears of the next writes no more.
    await set.cutReplica();
    const gone = Array.from({ length: 3 }, () => sessionAt(NOW_MS));
    for (const session of gone) await store.create(session);
    await primary.server.kill();
    await set.failedOver(primary);
    await untilStore(store, isWritable(store));
    const found = await Promise.all([kept, ...gone].map(({ id }) => store.find(id)));
    expect(found).toEqual([kept, undefined, undefined, undefined]);
    expect(lost).toEqual([3]);
    const other = await redisStoreAt(address);
    expect(await other.position()).toEqual(await store.position());
  });
});

describe("a store whose replica comes later", () => {
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
    await until(async () => {
      store.health.look();
      expect(await store.revoke(session.id, NOW_MS)).toMatchObject({ newly: false });
    });
    expect(await replica.command("HGET", "{sluice}:meta", "cursor")).toBe("1");
  });
});
