// A server that takes no write from the first moment of its life: what is read meanwhile, and that nothing is written before its log has
// another name.
import { rmSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { newRedisStore, redisStoreAt, serverAt, uncounted } from "../../support/redis-store.js";
import type { RedisStoreOfTests } from "../../support/redis-store.js";
import type { StoreServer } from "../../support/servers/store-server.js";
import { TcpProxy } from "../../support/servers/tcp-proxy.js";
import { useServer } from "../../support/servers/use-server.js";
import { sessionAt } from "../../support/sessions.js";
import { isSaidToBe, isWritable, untilStore } from "../../support/store-waits.js";
import { until } from "../../support/until.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const WANTED = "min-replicas-to-write";
/** It has no replica, so it takes no write after each start. */
const alone = { settings: { [WANTED]: "1" } } as const;
const TOO_FEW = /it has too few replicas \(NOREPLICAS/;

const takesWrites = async (server: StoreServer): Promise<void> => {
  await server.command("CONFIG", "SET", WANTED, "0");
};

/** A store with a session and one that was revoked; what is lost of it is counted. */
async function filled(server: StoreServer) {
  await takesWrites(server);
  const lost: number[] = [];
  const meter = { ...uncounted, lost: (commits: number) => lost.push(commits) };
  const store = await newRedisStore(serverAt(server.port), { meter });
  const [live, revoked] = [sessionAt(NOW_MS), sessionAt(NOW_MS)];
  for (const session of [live, revoked]) await store.create(session);
  await store.revoke(revoked.id, NOW_MS + 1);
  await store.invalidations.told();
  const logs: string[] = [];
  store.invalidations.subscribe(({ log }) => logs.push(log));
  return { store, live, revoked, lost, logs, before: await store.position() };
}

async function nextLife(server: StoreServer): Promise<void> {
  // Else what the next test begins with would be turned away.
  onTestFinished(() => takesWrites(server));
  await server.kill();
  await server.restart();
}

/** All that a write would change of what says who the store is. */
const meta = (server: StoreServer) => server.command("HGETALL", "{sluice}:meta");

async function expectNoWrites(store: RedisStoreOfTests, id: string, why: RegExp): Promise<void> {
  await expect(store.create(sessionAt(NOW_MS))).rejects.toThrow(StoreUnwritable);
  await expect(store.revoke(id, NOW_MS)).rejects.toThrow(why);
  await expect(store.claims.take("sweep", 1000)).rejects.toThrow(why);
  expect(store.health.unwritable()).toMatch(why);
}

describe.each(["Redis 7", "Valkey 9"] as const)("a %s that has too few replicas since it started", (name) => {
  const server = useServer(name, { ...alone, appendonly: true, appendfsync: "always" });

  it("sessions are shown under the former log, and written under another once replicas are there", async () => {
    const { store, live, revoked, lost, logs, before } = await filled(server());
    await nextLife(server());
    const stood = await meta(server());
    await untilStore(store, isSaidToBe(store, TOO_FEW));
    const late = await redisStoreAt(serverAt(server().port));
    for (const one of [store, late]) {
      expect(await one.find(live.id)).toEqual(live);
      expect((await one.find(revoked.id))?.revokedAt).toBe(NOW_MS + 1);
      expect(await one.position()).toEqual(before);
      await expectNoWrites(one, live.id, TOO_FEW);
    }
    expect(await meta(server())).toEqual(stood);
    expect(logs).toEqual([]);
    await takesWrites(server());
    for (const one of [store, late]) await untilStore(one, isWritable(one));
    const after = await store.position();
    expect([after.log === before.log, after.cursor]).toEqual([false, before.cursor]);
    expect(await late.position()).toEqual(after);
    await store.revoke(live.id, NOW_MS);
    expect(await store.invalidations.read(before, 9)).toMatchObject({ kind: "outOfReach" });
    // Edges begin anew once.
    expect(new Set(logs)).toEqual(new Set([after.log]));
    expect(lost).toEqual([]);
  });
});

describe("a Redis that takes writes again before a process has looked", () => {
  const server = useServer("Redis 7", { ...alone, appendonly: true, appendfsync: "always" });

  it("a process writes nothing in a life whose log it has not begun, and all after its next look", async () => {
    const { store, live } = await filled(server());
    await store.close();
    const timers = new ManualTimers(new FixedClock(NOW_MS));
    const late = await redisStoreAt(serverAt(server().port), { timers });
    // A write that fails is what makes it try one at each look of the store's keeping.
    await server().command("CONFIG", "SET", "maxmemory", "1");
    await expect(late.create(sessionAt(NOW_MS))).rejects.toThrow("it is full");
    await nextLife(server());
    await until(() => {
      // No step more than the link needs: what it finds stays as it is.
      if (!TOO_FEW.test(late.health.unwritable() ?? "")) timers.advance(100);
      expect(late.health.unwritable()).toMatch(TOO_FEW);
    });
    await takesWrites(server());
    const stood = await meta(server());
    late.health.look();
    await expectNoWrites(late, live.id, TOO_FEW);
    expect(await meta(server())).toEqual(stood);
    await until(() => {
      timers.advance(1000);
      expect(late.health.unwritable()).toBeUndefined();
    });
    expect(await late.revoke(live.id, NOW_MS)).toMatchObject({ newly: true });
  });
});

describe("a Redis that has lost its last writes and takes none", () => {
  const server = useServer("Redis 7", alone);

  it("an edge ahead of a log that went back is reset; the first write counts what is lost", async () => {
    const { store, live, lost, before } = await filled(server());
    await server().command("SAVE");
    await store.revoke(live.id, NOW_MS);
    const ahead = await store.position();
    await nextLife(server());
    await untilStore(store, isSaidToBe(store, TOO_FEW));
    expect(await store.find(live.id)).toEqual(live);
    expect(await store.invalidations.read(ahead, 9)).toEqual({ kind: "outOfReach", position: before });
    expect(lost).toEqual([]);
    await takesWrites(server());
    await untilStore(store, isWritable(store));
    expect(lost).toEqual([1]);
    expect((await store.position()).log).not.toBe(ahead.log);
  });
});

describe("a Redis whose disk fails from its start", () => {
  const settings = { save: "3600 1000000", "enable-protected-configs": "yes" };
  const server = useServer("Redis 7", { settings });

  async function saved(state: "ok" | "err"): Promise<void> {
    await until(async () => {
      // One that is under way turns the next one away.
      await server()
        .command("BGSAVE")
        .catch(() => undefined);
      expect(await server().info("rdb_last_bgsave_status")).toBe(state);
    });
  }

  it("sessions are shown while its disk fails, and writes go on after a look once it does not", async () => {
    const proxy = await TcpProxy.listen(server().port);
    onTestFinished(() => proxy.close());
    const store = await newRedisStore(serverAt(proxy.port));
    const session = sessionAt(NOW_MS);
    await store.create(session);
    await server().command("SAVE");
    await proxy.close();
    await server().kill();
    await server().restart();
    const { dir: folder } = (await server().command("CONFIG", "GET", "dir")) as { dir: string };
    const gone = mkdtempSync(join(tmpdir(), "sluice-gone-"));
    await server().command("CONFIG", "SET", "dir", gone);
    rmSync(gone, { recursive: true });
    await saved("err");
    await proxy.reopen();
    const why = /its disk fails \(MISCONF/;
    await untilStore(store, isSaidToBe(store, why));
    expect(await store.find(session.id)).toEqual(session);
    await expectNoWrites(store, session.id, why);
    await server().command("CONFIG", "SET", "dir", folder);
    await saved("ok");
    await untilStore(store, isWritable(store));
    expect(await store.revoke(session.id, NOW_MS)).toMatchObject({ newly: true });
  });
});
