// The store's slot moves from one node of a Redis cluster to another: what is written meanwhile is written whole or not at all.
import { describe, expect, it } from "vitest";

import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import type { AuditEvent } from "../../../src/domain/stored.js";
import { KEYS, keyOf } from "../../../src/store/redis/keys.js";
import { quiet } from "../../support/quiet-logger.js";
import { newRedisStore, redisStoreAt, serverAt } from "../../support/redis-store.js";
import { useClusterOfTwo } from "../../support/servers/cluster-of-two.js";
import { sessionAt } from "../../support/sessions.js";
import { isWritable, untilStore } from "../../support/store-waits.js";
import { A } from "../../support/store-with-usage.js";
import { until } from "../../support/until.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const AUDITED: AuditEvent = { at: NOW_MS, actor: "a", action: "session-revoked", sessionId: null, details: {} };

describe("a store whose slot moves to another node", () => {
  const cluster = useClusterOfTwo("Redis 7");

  async function opened() {
    const store = await newRedisStore(serverAt(cluster().port));
    const [one, other] = [sessionAt(NOW_MS), sessionAt(NOW_MS + 1)];
    for (const session of [one, other]) await store.create(session);
    // So that every key of a revocation is there.
    await store.revoke(other.id, NOW_MS, AUDITED);
    const moved = async (): Promise<void> => {
      await cluster().moveRest();
      await cluster().endMove();
      // The first call is told where the slot is now.
      await until(() => store.position());
      await untilStore(store, isWritable(store));
    };
    return { store, id: one.id, moved };
  }

  it.each(["audit", "meta"] as const)(
    "a revocation that meets the move of %s is turned away whole, and is made after it",
    async (key) => {
      const { store, id, moved } = await opened();
      await cluster().beginMove();
      await cluster().moveKeys([KEYS[key]]);
      await expect(store.revoke(id, NOW_MS + 1, AUDITED)).rejects.toThrow(StoreUnwritable);
      await moved();
      expect((await store.position()).cursor).toBe(1);
      expect(await store.revoke(id, NOW_MS + 2, AUDITED)).toMatchObject({ newly: true });
      expect((await store.position()).cursor).toBe(2);
      expect((await store.audit.auditBefore(undefined, 9)).map(({ number }) => number)).toEqual([2, 1]);
    },
  );

  it("a read that meets a key of the other node is turned away, and is answered after the move", async () => {
    const { store, id, moved } = await opened();
    await cluster().beginMove();
    await cluster().moveKeys([keyOf.session(id)]);
    await expect(store.find(id)).rejects.toThrow(StoreUnwritable);
    await moved();
    expect((await store.find(id))?.id).toBe(id);
  });

  it("no call fails after a move that no call has met", async () => {
    const links: object[] = [];
    const info = (fields: object): void => void links.push(fields);
    const store = await newRedisStore(serverAt(cluster().port), { logger: { ...quiet, info } });
    await cluster().beginMove();
    await cluster().moveRest();
    await cluster().endMove();
    await until(() => {
      expect(links.length).toBe(2);
    });
    expect((await store.position()).cursor).toBe(0);
  });

  it("what edges said is turned away whole where one of its keys has moved", async () => {
    const { store, moved } = await opened();
    const other = await redisStoreAt(serverAt(cluster().port));
    const mine = store.edgeStatus.shared;
    await mine?.noteCursors([{ ...A, log: "l", since: 3 }]);
    await cluster().beginMove();
    await cluster().moveKeys([KEYS.edgesAt]);
    await expect(mine?.noteCursors([{ ...A, log: "l", since: 4 }])).rejects.toThrow(StoreUnwritable);
    await moved();
    await until(() => other.position());
    const said = await other.edgeStatus.shared?.changedAfter(0, 9);
    expect(said).toMatchObject({ mark: 1, changes: [{ cursor: { since: 3 } }] });
  });

  it("all that is acknowledged while a slot moves is true after it, and no call fails otherwise", async () => {
    const { store, moved } = await opened();
    const acknowledged: string[] = [];
    const failed: unknown[] = [];
    let isOver = false;
    const writer = async (): Promise<void> => {
      while (!isOver) {
        const session = sessionAt(NOW_MS + 10);
        try {
          await store.create(session);
          await store.revoke(session.id, NOW_MS + 11, AUDITED);
          acknowledged.push(session.id);
        } catch (error) {
          failed.push(error);
          // Its turn of the event loop, where a call is turned away at once.
          await new Promise(setImmediate);
        }
      }
    };
    const writers = Array.from({ length: 4 }, writer);
    await cluster().beginMove();
    await moved();
    const before = acknowledged.length;
    await untilStore(store, () => acknowledged.length > before);
    isOver = true;
    await Promise.all(writers);
    expect(failed.filter((error) => !(error instanceof StoreUnwritable))).toEqual([]);
    const found = await Promise.all(acknowledged.map((id) => store.find(id)));
    expect(found.filter((session) => session?.revokedAt !== NOW_MS + 11)).toEqual([]);
  });
});
