// How a Redis is reached: by TLS, with a user of an ACL, and as a part of a cluster.
import { describe, expect, it } from "vitest";

import { CLUSTER_RULES, OTHER_DATABASE_RULES, STORE_USER_RULES } from "../../../../scripts/store-server.js";
import type { RedisTls } from "../../../src/store/store-address.js";
import { authorityIn } from "../../support/certificates.js";
import { temporaryFolder } from "../../support/process.js";
import { newRedisStore, redisStoreAt, serverAt } from "../../support/redis-store.js";
import type { RedisStoreOfTests } from "../../support/redis-store.js";
import { StoreServer } from "../../support/servers/store-server.js";
import { useProgram, useServer } from "../../support/servers/use-server.js";
import { sessionAt } from "../../support/sessions.js";

const NOW_MS = Date.UTC(2026, 0, 1);

async function expectServes(store: RedisStoreOfTests): Promise<void> {
  const session = sessionAt(NOW_MS);
  await store.create(session);
  await store.revoke(session.id, NOW_MS + 1);
  expect((await store.find(session.id))?.revokedAt).toBe(NOW_MS + 1);
  expect((await store.position()).cursor).toBe(1);
}

const named = (path: string) => ({ variable: "SLUICE_STORE_…_FILE", path });

describe("a store by TLS", () => {
  const program = useProgram("Redis 7");

  it("a server and this program show certificates to each other", async () => {
    const authority = authorityIn(temporaryFolder(), "authority");
    const server = await StoreServer.start(program(), {
      tls: { ...authority.issue("server"), ca: authority.cert, clientCertificates: true },
    });
    try {
      const client = authority.issue("client");
      const tls: RedisTls = {
        ca: named(authority.cert),
        client: { cert: named(client.cert), key: named(client.key) },
      };
      await expectServes(await newRedisStore(serverAt(server.port, { tls })));
    } finally {
      await server.remove();
    }
  });

  it("a server of another authority is not spoken to, and a file that is missing is named", async () => {
    const folder = temporaryFolder();
    const [ours, another] = [authorityIn(folder, "ours"), authorityIn(folder, "another")];
    const server = await StoreServer.start(program(), { tls: { ...another.issue("server"), ca: another.cert } });
    try {
      const at = (ca: string) => newRedisStore(serverAt(server.port, { tls: { ca: named(ca), client: null } }));
      await expect(at(ours.cert)).rejects.toThrow(/certificate/);
      await expect(at("/nowhere/ca.pem")).rejects.toThrow(/\/nowhere\/ca\.pem \(SLUICE_STORE_…_FILE\) cannot be read/);
    } finally {
      await server.remove();
    }
  });
});

describe("a store of a user with an ACL", () => {
  const rules = "~{sluice}:* &{sluice}:* +@all -@admin -@dangerous +info +script|load";
  const server = useServer("Redis 7", { user: { name: "sluice", password: "right", rules } });

  it("a user that may touch nothing but this program's keys is enough", async () => {
    await expectServes(await newRedisStore(serverAt(server().port, { username: "sluice", password: "right" })));
  });
});

describe("a user that may do what docs/stores.md says", () => {
  const user = { name: "sluice", password: "right", rules: STORE_USER_RULES };
  const login = { username: user.name, password: user.password };
  const server = useServer("Redis 7", { user });
  const node = useServer("Redis 7", { user, cluster: true });

  it.each([
    ["a cluster", CLUSTER_RULES, () => node(), 0],
    ["a database other than 0", OTHER_DATABASE_RULES, () => server(), 1],
  ] as const)("%s needs a little more, and that is enough", async (_what, more, at, database) => {
    const open = () => newRedisStore(serverAt(at().port, { ...login, database }));
    await expect(open()).rejects.toThrow(/NOPERM/);
    await at().command("ACL", "SETUSER", user.name, ...more.split(" "));
    await expectServes(await open());
  });
});

describe("a store in a cluster", () => {
  const server = useServer("Redis 7", { cluster: true });

  it("a cluster takes all keys, on the node that has their slot", async () => {
    await newRedisStore(serverAt(server().port));
    await expectServes(await redisStoreAt(serverAt(server().port)));
  });
});
