// What a server promises of acknowledged writes: an operator is told where it is too little, and one that drops keys is not written to.
import { describe, expect, it, onTestFinished } from "vitest";

import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import { STORE_USER_RULES } from "../../../../scripts/store-server.js";
import { Durability } from "../../../src/store/redis/durability.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { crashed, defaultUserOff } from "../../support/default-user-off.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { quiet } from "../../support/quiet-logger.js";
import { newRedisStore, redisStoreAt, serverAt, uncounted } from "../../support/redis-store.js";
import type { RedisStoreOfTests } from "../../support/redis-store.js";
import { StoreServer } from "../../support/servers/store-server.js";
import { useProgram, useServer } from "../../support/servers/use-server.js";
import { sessionAt } from "../../support/sessions.js";
import { until } from "../../support/until.js";

/** What a control plane asks needs no more than docs/stores.md has. */
const user = { name: "sluice", password: "right", rules: STORE_USER_RULES };
const login = { username: user.name, password: user.password };
const NOW_MS = Date.UTC(2026, 0, 1);
const ABOUT_THIS = new Set(["store-evicts", "store-not-durable", "store-replicas-not-waited"]);

type Line = Readonly<Record<string, unknown>>;

/** Takes what is logged about what the server promises, by level, and what the metric is set to. */
function heard() {
  const [lines, durable]: [Line[], boolean[]] = [[], []];
  const logs = (level: string) => (fields: Line) => {
    if (ABOUT_THIS.has(String(fields.event))) lines.push({ level, ...fields });
  };
  const logger = { ...quiet, warn: logs("warn"), error: logs("error") };
  const meter = { ...uncounted, durable: (isSo: boolean) => durable.push(isSo) };
  return { lines, durable, parts: { logger, meter } };
}

async function noPolicyThatDrops(server: StoreServer): Promise<void> {
  await server.command("CONFIG", "SET", "maxmemory-policy", "noeviction");
}

const ofTheDisk = (reason: string): Line => ({ level: "warn", event: "store-not-durable", reason });

describe.each(["Redis 7", "Valkey 9"] as const)("how %s keeps what is acknowledged", (name) => {
  const server = useServer(name, { appendonly: true, appendfsync: "always" });

  async function set(setting: string, value: string): Promise<void> {
    await server().command("CONFIG", "SET", setting, value);
  }

  it("a server that has each write on its disk before it answers is durable", async () => {
    const { lines, durable, parts } = heard();
    await newRedisStore(serverAt(server().port), parts);
    await until(() => {
      expect(durable).toEqual([true]);
    });
    expect(lines).toEqual([]);
  });

  it.each([
    ["appendfsync", "everysec", "always"],
    ["appendonly", "no", "yes"],
  ])("a server whose %s is %s is named, and serves", async (setting, weak, strong) => {
    await set(setting, weak);
    onTestFinished(() => set(setting, strong));
    const { lines, durable, parts } = heard();
    const store = await newRedisStore(serverAt(server().port), parts);
    await until(() => {
      expect(durable).toEqual([false]);
    });
    expect(lines).toEqual([ofTheDisk(`${setting} is ${weak}, and not ${strong}`)]);
    await store.create(sessionAt(NOW_MS));
  });

  it("a server whose user default may not write is named: a restart may lose what it kept", async () => {
    await server().command("ACL", "SETUSER", "default", "-@all", "-hset");
    onTestFinished(async () => {
      await server().command("ACL", "SETUSER", "default", "+@all");
    });
    const { lines, durable, parts } = heard();
    await server().command("ACL", "SETUSER", user.name, "on", `>${user.password}`, ...user.rules.split(" "));
    await newRedisStore(serverAt(server().port, login), parts);
    await until(() => {
      expect(durable).toEqual([false]);
    });
    expect(lines).toEqual([ofTheDisk(expect.stringMatching(/^its user default may not write/) as string)]);
  });

  it("a server that drops keys to make room is not written to, until it does not", async () => {
    const { lines, parts } = heard();
    const timers = new ManualTimers(new FixedClock(NOW_MS));
    const store = await newRedisStore(serverAt(server().port), { ...parts, timers });
    const session = sessionAt(NOW_MS);
    await store.create(session);
    await set("maxmemory-policy", "allkeys-lru");
    onTestFinished(() => noPolicyThatDrops(server()));
    await secondsUntil(timers, store, /its maxmemory-policy is allkeys-lru, .* set it to noeviction/);
    await expect(store.revoke(session.id, NOW_MS)).rejects.toThrow(StoreUnwritable);
    expect(await store.claims.take("sweep", 1000).catch(() => false)).toBe(false);
    // A further look, which is answered before what is asked after it.
    timers.advance(1000);
    expect(await store.find(session.id)).toEqual(session);
    expect(lines).toEqual([{ level: "error", event: "store-evicts", policy: "allkeys-lru" }]);
    await noPolicyThatDrops(server());
    await secondsUntil(timers, store, undefined);
    expect(await store.revoke(session.id, NOW_MS)).toMatchObject({ newly: true });
  });

  it("a process that starts over a server that drops keys shows sessions, and writes none", async () => {
    const session = sessionAt(NOW_MS);
    await (await newRedisStore(serverAt(server().port))).create(session);
    await set("maxmemory-policy", "volatile-ttl");
    onTestFinished(() => noPolicyThatDrops(server()));
    const { lines, parts } = heard();
    const store = await redisStoreAt(serverAt(server().port), parts);
    await expect(store.create(sessionAt(NOW_MS))).rejects.toThrow(/its maxmemory-policy is volatile-ttl/);
    expect(await store.find(session.id)).toEqual(session);
    expect(lines).toEqual([{ level: "error", event: "store-evicts", policy: "volatile-ttl" }]);
  });
});

/** Lets seconds pass until it is so. */
function secondsUntil(timers: ManualTimers, store: RedisStoreOfTests, why: RegExp | undefined): Promise<void> {
  return until(() => {
    timers.advance(1000);
    const said = store.health.unwritable();
    if (why === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(why);
  });
}

describe.each(["Redis 7", "Valkey 9"] as const)("%s with the users of docs/stores.md", (name) => {
  const program = useProgram(name);

  it("a session that was acknowledged is there after a crash of the server", async () => {
    await crashed(program(), true);
  });
});

describe("a server whose user default may do nothing", () => {
  defaultUserOff("Redis 7", false);
  defaultUserOff("Valkey 9", true);
});

describe("a server that does not tell how it keeps writes", () => {
  const shutOut = { ...user, rules: "~* &* +@all -config" };
  const server = useServer("Redis 7", { user: shutOut, appendonly: true, appendfsync: "always" });

  it("a user that may not ask for settings is told so, and served", async () => {
    const { lines, durable, parts } = heard();
    const store = await newRedisStore(serverAt(server().port, login), parts);
    await until(() => {
      expect(durable).toEqual([false]);
    });
    expect(lines).toEqual([ofTheDisk(expect.stringMatching(/^it does not say \(NOPERM.*'config\|get'/) as string)]);
    await store.create(sessionAt(NOW_MS));
  });
});

it("a link that ends before the server has told says nothing of it: the next one asks", async () => {
  const { lines, durable, parts } = heard();
  const info = { evictionPolicy: "noeviction", replicas: 0, life: "", isPrimary: true, isCluster: false, version: "" };
  // What the client says where the connection ends while an answer is waited for.
  const reads = { send: () => Promise.reject(new Error("Socket closed unexpectedly")) };
  const durability = new Durability({ ...parts, replicas: 0 });
  await durability.linked({ life: { info, reads } });
  expect([lines, durable]).toEqual([[], []]);
});

describe("a primary with a replica", () => {
  const program = useProgram("Redis 7");

  async function primaryWithReplica(): Promise<number> {
    const kept = { appendonly: true, appendfsync: "always", user } as const;
    const primary = await StoreServer.start(program(), kept);
    onTestFinished(() => primary.remove());
    const replica = await StoreServer.start(program(), { ...kept, replicaOf: primary.port });
    onTestFinished(() => replica.remove());
    return primary.port;
  }

  it("a replica that no write waits for is said, once a link, and not where one does", async () => {
    const port = await primaryWithReplica();
    const [none, one] = [heard(), heard()];
    await newRedisStore(serverAt(port, login), none.parts);
    const waiting = await redisStoreAt(serverAt(port, { ...login, replicas: 1 }), one.parts);
    await waiting.create(sessionAt(NOW_MS));
    await until(() => {
      expect([none.durable, one.durable]).toEqual([[true], [true]]);
    });
    expect(none.lines).toEqual([{ level: "warn", event: "store-replicas-not-waited", replicas: 1 }]);
    expect(one.lines).toEqual([]);
  });
});
