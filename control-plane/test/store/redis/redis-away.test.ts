// A Redis that is away, slow, full, a replica, that wants other credentials or has lost its data: what callers and operators are told, and
// that it heals by itself.
import { describe, expect, it, onTestFinished } from "vitest";

import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { newRedisStore, redisStoreAt, serverAt, uncounted } from "../../support/redis-store.js";
import { TcpProxy } from "../../support/servers/tcp-proxy.js";
import { useServer } from "../../support/servers/use-server.js";
import { sessionAt } from "../../support/sessions.js";
import { isSaidToBe, isWritable, untilStore } from "../../support/store-waits.js";
import { until } from "../../support/until.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const ANSWER_MS = 3000;

async function proxied(port: number): Promise<TcpProxy> {
  const proxy = await TcpProxy.listen(port);
  onTestFinished(() => proxy.close());
  return proxy;
}

describe("a store that cannot be reached", () => {
  const server = useServer("Redis 7", { appendonly: true, appendfsync: "always" });

  it("a store whose server is down turns writes and reads away, and goes on after it", async () => {
    const store = await newRedisStore(serverAt(server().port));
    const session = sessionAt(NOW_MS);
    await store.create(session);
    await server().kill();
    await untilStore(store, isSaidToBe(store, /127\.0\.0\.1:\d+: .*ECONNREFUSED/));
    await expect(store.revoke(session.id, NOW_MS)).rejects.toThrow(StoreUnwritable);
    await expect(store.find(session.id)).rejects.toThrow(StoreUnwritable);
    await server().restart();
    await untilStore(store, isWritable(store));
    expect(await store.find(session.id)).toEqual(session);
    expect(await store.revoke(session.id, NOW_MS)).toMatchObject({ newly: true });
  });

  it("all that was acknowledged before a crash is there after it, under another log", async () => {
    const store = await newRedisStore(serverAt(server().port));
    const sessions = Array.from({ length: 20 }, () => sessionAt(NOW_MS));
    for (const session of sessions) await store.create(session);
    await store.revoke(sessions[0]?.id ?? "", NOW_MS + 1);
    const before = await store.position();
    await server().kill();
    await server().restart();
    await untilStore(store, isWritable(store));
    const found = await Promise.all(sessions.map(({ id }) => store.find(id)));
    expect(found.map((one) => one?.revokedAt)).toEqual(sessions.map((_, i) => (i === 0 ? NOW_MS + 1 : null)));
    const after = await store.position();
    expect([after.cursor, after.log === before.log]).toEqual([1, false]);
    expect(await store.invalidations.read(before, 10)).toEqual({ kind: "outOfReach", position: after });
  });

  it("a listener is told of the other log of another life, without a new entry", async () => {
    const store = await newRedisStore(serverAt(server().port));
    const before = await store.position();
    const heard: string[] = [];
    store.invalidations.subscribe(({ log }) => heard.push(log));
    await server().kill();
    await server().restart();
    await untilStore(store, () => heard.length > 0);
    expect(heard).toEqual([(await store.position()).log]);
    expect(heard).not.toContain(before.log);
  });

  it("two processes find the same log in each life of the server", async () => {
    const one = await newRedisStore(serverAt(server().port));
    const other = await redisStoreAt(serverAt(server().port));
    expect(await one.position()).toEqual(await other.position());
    await server().kill();
    await server().restart();
    await untilStore(one, isWritable(one));
    await untilStore(other, isWritable(other));
    expect(await one.position()).toEqual(await other.position());
  });

  it("a server that does not answer is given up on, and what waited is turned away", async () => {
    const clock = new FixedClock(NOW_MS);
    const timers = new ManualTimers(clock);
    const proxy = await proxied(server().port);
    await newRedisStore(serverAt(server().port));
    const store = await redisStoreAt(serverAt(proxy.port), { timers });
    proxy.stall();
    const asked = store.find(sessionAt(NOW_MS).id);
    timers.advance(ANSWER_MS);
    await expect(asked).rejects.toThrow("it has not answered for 3 s");
    expect(store.health.unwritable()).toContain("it has not answered for 3 s");
    proxy.resume();
    await until(() => {
      timers.advance(1000);
      expect(store.health.unwritable()).toBeUndefined();
    });
  });

  it("what a lost message would have said is found within a second", async () => {
    const clock = new FixedClock(NOW_MS);
    const timers = new ManualTimers(clock);
    await newRedisStore(serverAt(server().port));
    const store = await redisStoreAt(serverAt(server().port), { timers });
    const heard: number[] = [];
    store.invalidations.subscribe(({ cursor, revoked }) => heard.push(revoked ? cursor : -1));
    // As a commit of another process, whose message is lost.
    await server().command("XADD", "{sluice}:log", "1-0", "k", "revoked", "s", "a", "t", "1");
    await server().command("HSET", "{sluice}:meta", "cursor", "1");
    expect(heard).toEqual([]);
    timers.advance(1000);
    await until(() => {
      expect(heard).toEqual([1]);
    });
  });

  it("a server that has forgotten the scripts is given them again", async () => {
    const store = await newRedisStore(serverAt(server().port));
    await server().command("SCRIPT", "FLUSH");
    const session = sessionAt(NOW_MS);
    await store.create(session);
    expect(await store.find(session.id)).toEqual(session);
  });
});

describe("a store that answers and cannot be used", () => {
  const server = useServer("Redis 7");

  it("a full store takes no new session, still shows those it has, and goes on once it has room", async () => {
    const store = await newRedisStore(serverAt(server().port));
    const session = sessionAt(NOW_MS);
    await store.create(session);
    await server().command("CONFIG", "SET", "maxmemory", "1");
    onTestFinished(async () => {
      await server().command("CONFIG", "SET", "maxmemory", "0");
    });
    await expect(store.create(sessionAt(NOW_MS))).rejects.toThrow(/it is full: its used memory is above its maxmemory/);
    expect(store.health.unwritable()).toContain("it is full");
    expect(await store.find(session.id)).toEqual(session);
    expect((await store.position()).cursor).toBe(0);
    await server().command("CONFIG", "SET", "maxmemory", "0");
    await untilStore(store, isWritable(store));
    expect(await store.revoke(session.id, NOW_MS)).toMatchObject({ newly: true });
  });

  it("a process that starts over a full store shows its sessions", async () => {
    const session = sessionAt(NOW_MS);
    await (await newRedisStore(serverAt(server().port))).create(session);
    await server().command("CONFIG", "SET", "maxmemory", "1");
    onTestFinished(async () => {
      await server().command("CONFIG", "SET", "maxmemory", "0");
    });
    const store = await redisStoreAt(serverAt(server().port));
    expect(await store.find(session.id)).toEqual(session);
  });

  it("a primary that becomes a replica is used no more, and again once it is a primary", async () => {
    const store = await newRedisStore(serverAt(server().port));
    const session = sessionAt(NOW_MS);
    await store.create(session);
    const { log } = await store.position();
    await server().command("REPLICAOF", "127.0.0.1", "1");
    onTestFinished(async () => {
      await server().command("REPLICAOF", "NO", "ONE");
    });
    await expect(store.revoke(session.id, NOW_MS)).rejects.toThrow(StoreUnwritable);
    await untilStore(store, isSaidToBe(store, /is a replica/));
    await server().command("REPLICAOF", "NO", "ONE");
    await untilStore(store, isWritable(store));
    expect((await store.position()).log).not.toBe(log);
    expect(await store.revoke(session.id, NOW_MS)).toMatchObject({ newly: true });
  });

  it("a store that lost its data is not taken for an empty one", async () => {
    const store = await newRedisStore(serverAt(server().port));
    await store.create(sessionAt(NOW_MS));
    const kept = (await server().command("HGETALL", "{sluice}:meta")) as Record<string, string> | string[];
    await server().flush();
    await expect(store.create(sessionAt(NOW_MS))).rejects.toThrow(StoreUnwritable);
    await untilStore(store, isSaidToBe(store, /has lost its data/));
    expect(await server().command("DBSIZE")).toBe(0);
    const fields = Array.isArray(kept) ? kept : Object.entries(kept).flat();
    await server().command("HSET", "{sluice}:meta", ...fields);
    await untilStore(store, isWritable(store));
    await store.create(sessionAt(NOW_MS));
  });

  it("another store in its place is not written to", async () => {
    const store = await newRedisStore(serverAt(server().port));
    await server().flush();
    const other = await newRedisStore(serverAt(server().port));
    await expect(store.create(sessionAt(NOW_MS))).rejects.toThrow(StoreUnwritable);
    await untilStore(store, isSaidToBe(store, /holds another store/));
    expect(await other.operator.sessionsBefore({ by: "creation" }, undefined, 9)).toEqual([]);
  });

  it("a store of a newer version is neither read nor written, until it is as before", async () => {
    const store = await newRedisStore(serverAt(server().port));
    const session = sessionAt(NOW_MS);
    await store.create(session);
    await server().command("HSET", "{sluice}:meta", "schema", "2");
    await expect(store.revoke(session.id, NOW_MS)).rejects.toThrow(StoreUnwritable);
    await expect(store.find(session.id)).rejects.toThrow(StoreUnwritable);
    await untilStore(store, isSaidToBe(store, /its schema is 2, of a newer version; this program works with 1/));
    await server().command("HSET", "{sluice}:meta", "schema", "1");
    await untilStore(store, isWritable(store));
    expect(await store.find(session.id)).toEqual(session);
  });

  it("an empty server is waited for, until an operator says that it is a new store", async () => {
    const reasons: string[] = [];
    const opening = redisStoreAt(serverAt(server().port), { waits: (why) => reasons.push(why) });
    await until(() => {
      expect(reasons).toEqual([expect.stringContaining("it is empty: if it is new, run `sluice store init`")]);
    });
    expect(await server().command("DBSIZE")).toBe(0);
    await newRedisStore(serverAt(server().port));
    const store = await opening;
    await store.create(sessionAt(NOW_MS));
  });

  it("a write that a crash took back is counted, and said", async () => {
    const lost: number[] = [];
    const meter = { ...uncounted, lost: (commits: number) => lost.push(commits) };
    const store = await newRedisStore(serverAt(server().port), { meter });
    await store.create(sessionAt(NOW_MS));
    await server().command("SAVE");
    for (let i = 0; i < 3; i++) await store.create(sessionAt(NOW_MS));
    await server().kill();
    await server().restart();
    await untilStore(store, isWritable(store));
    expect(lost).toEqual([3]);
    expect(await store.operator.sessionsBefore({ by: "creation" }, undefined, 9)).toHaveLength(1);
  });
});

describe("a store that wants credentials", () => {
  const server = useServer("Redis 7", { user: { name: "sluice", password: "right" } });
  const login = { username: "sluice", password: "right" };

  it("a wrong password is said at the start, without it, and waited for", async () => {
    const reasons: string[] = [];
    await newRedisStore(serverAt(server().port, login));
    const wrong = { ...login, password: "wrong-password" };
    const opening = redisStoreAt(serverAt(server().port, wrong), { waits: (why) => reasons.push(why) });
    await until(() => {
      expect(reasons).toEqual([expect.stringContaining("it rejects the credentials")]);
    });
    expect(reasons.join()).not.toContain("wrong-password");
    await server().command("ACL", "SETUSER", "sluice", ">wrong-password");
    await (await opening).create(sessionAt(NOW_MS));
    await server().command("ACL", "SETUSER", "sluice", "<wrong-password");
  });

  it("a user that is shut out while the program runs is told so, and let in again", async () => {
    const store = await newRedisStore(serverAt(server().port, login));
    await server().command("ACL", "SETUSER", "sluice", "off");
    await server().command("CLIENT", "KILL", "USER", "sluice");
    await untilStore(store, isSaidToBe(store, /it rejects the credentials/));
    await server().command("ACL", "SETUSER", "sluice", "on");
    await untilStore(store, isWritable(store));
  });
});
