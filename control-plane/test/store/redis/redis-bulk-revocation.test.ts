// All of an organisation's sessions are revoked in a real Redis, while others of it are created all the time.
import { describe, expect, it } from "vitest";

import { decideBulkRevocation } from "../../../src/domain/decisions/revoke-sessions.js";
import { RedisEngine } from "../../../src/store/redis/engine.js";
import { newRedisStore, serverAt } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";
import { sessionAt, STARTER } from "../../support/sessions.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const BULK = "0192f0c1-0000-7000-8000-000000000000";
const filter = { orgId: "o1" };
const request = { id: BULK, filter, atMs: NOW_MS, audited: undefined };

describe("a bulk revocation in Redis", () => {
  const server = useServer("Redis 7");

  async function opened() {
    const store = await newRedisStore(serverAt(server().port));
    const engine = new RedisEngine(store["reads"], store["commits"]);
    /** What it would do with what it found just now. */
    const begin = async () => {
      const { found, versions } = await engine.load("newestSession", filter);
      const { changes } = decideBulkRevocation(found, request);
      return () => engine.commit(changes, versions);
    };
    const revoked = async (ids: readonly string[]) => {
      while ((await store.revocations.expand(BULK, 2, NOW_MS + 9))?.operation.finishedAt === null);
      const found = await Promise.all(ids.map((id) => store.find(id)));
      return found.map((session) => session?.revokedAt !== null);
    };
    const create = async (atMs: number) => {
      const session = sessionAt(atMs, STARTER, `u${atMs}`);
      await store.create(session);
      return session.id;
    };
    return { store, begin, revoked, create };
  }

  it("a creation while a revocation of its organisation begins does not hold it up, and is in it", async () => {
    const { begin, revoked, create } = await opened();
    const first = await create(NOW_MS);
    const commit = await begin();
    const meanwhile = await create(NOW_MS + 1);
    expect(await commit()).toBe("committed");
    const later = await create(NOW_MS + 2);
    expect(await revoked([first, meanwhile, later])).toEqual([true, true, false]);
  });

  it("the first session of an organisation that is created meanwhile is not passed over", async () => {
    const { begin, revoked, create } = await opened();
    const commit = await begin();
    const meanwhile = await create(NOW_MS);
    expect(await commit()).toBe("conflict");
    expect(await (await begin())()).toBe("committed");
    expect(await revoked([meanwhile])).toEqual([true]);
  });

  it("a revocation whose sessions have all gone meanwhile comes to its end", async () => {
    const { store, begin, create } = await opened();
    await create(NOW_MS);
    const commit = await begin();
    const page = { planId: STARTER.id, untilMs: NOW_MS, after: undefined, limit: 9 };
    await store.usage.removeExpired({ ...page, isExpired: () => true });
    expect(await commit()).toBe("committed");
    expect(await store.revocations.expand(BULK, 9, NOW_MS + 9)).toMatchObject({
      operation: { finishedAt: NOW_MS + 9 },
    });
    expect(await store.revocations.unfinished()).toEqual([]);
  });
});
