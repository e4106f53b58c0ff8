// What docs/stores.md quotes of /readyz, and says of reads, is what a store over a real server says and does for as long as it is so.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { nodeTimers } from "../../control-plane/src/files/node-timers.js";
import { Readiness } from "../../control-plane/src/http/status/readiness.js";
import type { RedisStoreParts } from "../../control-plane/src/store/redis/store.js";
import type { RedisAddress } from "../../control-plane/src/store/store-address.js";
import { FixedClock } from "../../control-plane/test/support/fixed-clock.js";
import { ManualTimers } from "../../control-plane/test/support/manual-timers.js";
import { PoliciesInForce } from "../../control-plane/test/support/policies-in-force.js";
import { newRedisStore, redisStoreAt, serverAt } from "../../control-plane/test/support/redis-store.js";
import type { RedisStoreOfTests } from "../../control-plane/test/support/redis-store.js";
import type { StoreServer } from "../../control-plane/test/support/servers/store-server.js";
import { TcpProxy } from "../../control-plane/test/support/servers/tcp-proxy.js";
import { useServer } from "../../control-plane/test/support/servers/use-server.js";
import { sessionAt } from "../../control-plane/test/support/sessions.js";
import { until } from "../../control-plane/test/support/until.js";
import { POLICY } from "../../control-plane/test/support/watching.js";
import { tableUnder, withoutTicks } from "./docs.js";

const USER = { name: "sluice", password: "of-the-store" };
const SESSION = sessionAt(1);

interface Scene {
  readonly server: StoreServer;
  readonly store: RedisStoreOfTests;
}

/** How it comes to be so, with a store that a control plane has open. */
interface Provoked {
  readonly turns: (scene: Scene) => Promise<unknown>;
  /** Its network takes so long each way. */
  readonly delayMs?: number;
  /** Of the control plane. */
  readonly address?: Partial<RedisAddress>;
  readonly parts?: Partial<RedisStoreParts>;
  /** Makes it as before. */
  readonly back?: (server: StoreServer) => unknown;
}

/** A store whose time does not pass by itself. */
const stalledTimers = new ManualTimers(new FixedClock());

const set = (name: string, value: string, before: string): Provoked => ({
  turns: ({ server }) => server.command("CONFIG", "SET", name, value),
  back: (server) => server.command("CONFIG", "SET", name, before),
});

const PROVOKED: Readonly<Record<string, Provoked>> = {
  ECONNREFUSED: { turns: ({ server }) => server.kill() },
  "it has not answered for 3 s": { turns: stands, parts: { timers: stalledTimers } },
  "it takes longer than 500 ms": { turns: () => Promise.resolve(), delayMs: 300 },
  "it has too few replicas": set("min-replicas-to-write", "1", "0"),
  "it rejects the credentials": {
    turns: async ({ server }) => {
      await server.command("ACL", "SETUSER", USER.name, "off");
      await server.command("CLIENT", "KILL", "USER", USER.name);
    },
    back: (server) => server.command("ACL", "SETUSER", USER.name, "on"),
  },
  "it is full": set("maxmemory", "1", "0"),
  "its disk fails": {
    turns: losesFolder,
    back: (server) => server.command("CONFIG", "SET", "stop-writes-on-bgsave-error", "no", "save", ""),
  },
  "its maxmemory-policy is …": set("maxmemory-policy", "allkeys-lru", "noeviction"),
  "… is a replica": {
    turns: ({ server }) => server.command("REPLICAOF", "127.0.0.1", "1"),
    back: (server) => server.command("REPLICAOF", "NO", "ONE"),
  },
  "0 of 1 replicas have confirmed a write": { turns: () => Promise.resolve(), address: { replicas: 1 } },
  "it has lost its data": { turns: ({ server }) => server.flush() },
  "it holds another store": {
    turns: async ({ server }) => {
      await server.flush();
      await newRedisStore(addressOf(server));
    },
  },
  "its schema is …": { turns: ({ server }) => server.command("HSET", "{sluice}:meta", "schema", "2") },
};

/** It is said while a control plane starts, which waits. */
const AT_START = "it is empty";

const addressOf = ({ port }: Pick<StoreServer, "port">, more: Partial<RedisAddress> = {}): RedisAddress =>
  serverAt(port, { username: USER.name, password: USER.password, ...more });

async function delayed(port: number, ms: number): Promise<number> {
  const proxy = await TcpProxy.listen(port);
  onTestFinished(() => proxy.close());
  proxy.delay(ms);
  return proxy.port;
}

async function stands({ server, store }: Scene): Promise<void> {
  server.pause();
  const asked = store.position().catch(() => undefined);
  stalledTimers.advance(3000);
  await asked;
}

async function losesFolder({ server }: Scene): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-lost-folder-"));
  await server.command("CONFIG", "SET", "dir", folder, "save", "3600 1", "stop-writes-on-bgsave-error", "yes");
  rmSync(folder, { recursive: true });
  await server.command("BGSAVE");
  await until(async () => {
    expect(await server.info("rdb_last_bgsave_status")).toBe("err");
  });
}

/** As /readyz says it. */
function reasonOf(store: RedisStoreOfTests): () => Promise<string | undefined> {
  const readiness = new Readiness(nodeTimers);
  const policies = new PoliciesInForce(new FixedClock(), POLICY);
  readiness.started({ store, health: store.health, policies });
  return () => readiness.reason();
}

const ROWS = tableUnder("docs/stores.md", "When it cannot be used").filter(([said]) => said?.startsWith("`") === true);
const QUOTED = ROWS.flatMap(([said = "", reads = ""]) =>
  said.split(", ").map((one) => ({ quote: withoutTicks(one), reads })),
);

describe("a store that cannot be used", () => {
  const server = useServer("Redis 7", { user: USER, settings: { "enable-protected-configs": "local" } });

  it("docs/stores.md quotes nothing of /readyz that cannot be provoked", () => {
    const quotes = QUOTED.map(({ quote }) => quote);
    expect(quotes.length).toBeGreaterThan(10);
    expect(quotes.filter((one) => !(one in PROVOKED) && one !== AT_START)).toEqual([]);
  });

  it.each(QUOTED.filter(({ quote }) => quote in PROVOKED))(
    "/readyz says $quote for as long as that is so",
    async ({ quote, reads }) => {
      const provoked = PROVOKED[quote];
      if (provoked === undefined) throw new Error("nothing provokes it");
      await (await newRedisStore(addressOf(server()))).create(SESSION);
      const port = provoked.delayMs === undefined ? server().port : await delayed(server().port, provoked.delayMs);
      const store = await redisStoreAt(addressOf({ port }, provoked.address), provoked.parts);
      const reason = reasonOf(store);
      onTestFinished(async () => {
        server().resume();
        await provoked.back?.(server());
      });
      await provoked.turns({ server: server(), store });
      const words = quote.replace("…", "").trim();
      const isSaid = async (): Promise<void> => {
        await store.create(sessionAt(1)).catch(() => undefined);
        store.health.look();
        expect(await reason()).toContain(words);
      };
      await until(isSaid);
      // And when it is looked at again.
      await isSaid();
      const found = await store.find(SESSION.id).then(
        () => "yes",
        () => "no",
      );
      expect(reads.split(",")[0]).toBe(found);
    },
  );

  it("/readyz says of an empty server what docs/stores.md does, and the start waits", async () => {
    const said: string[] = [];
    const opening = redisStoreAt(addressOf(server()), { waits: (why) => said.push(why) });
    await until(() => {
      expect(said).toEqual([expect.stringContaining(AT_START)]);
    });
    await newRedisStore(addressOf(server()));
    await opening;
  });
});
