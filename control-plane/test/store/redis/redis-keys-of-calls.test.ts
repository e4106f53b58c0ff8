// Keys of repeatable calls in a real Redis, whatever they are called: a call reads its own and no other.
import { describe, expect, it } from "vitest";

import { OPERATORS, ownedKey } from "../../../src/domain/idempotency-key.js";
import { newRedisStore, serverAt } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";
import { METERED, sessionAt } from "../../support/sessions.js";
import { ALWAYS } from "../../support/store-with-usage.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const operatorsKey = (key: string): string => ownedKey(OPERATORS, key);
/** As rows of instances are named. */
const KEY = operatorsKey("u:alice");

describe("an Idempotency-Key that is named like a row", () => {
  const server = useServer("Redis 7");
  const readWhole = async (): Promise<number> => {
    const stats = (await server().command("INFO", "commandstats")) as string;
    return Number(/cmdstat_hgetall:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };
  /** What a call answers, and how many hashes are read whole for it. */
  const counted = async (
    call: () => Promise<{ readonly outcome: string }>,
  ): Promise<[outcome: string, whole: number]> => {
    const before = await readWhole();
    const { outcome } = await call();
    return [outcome, (await readWhole()) - before];
  };

  it("a creation under such a key reads no other keys, and is repeated under it", async () => {
    const store = await newRedisStore(serverAt(server().port));
    const issue = (key: string) => {
      const repeatable = { key, requestHash: "hash", keptSinceMs: 0 };
      return store.operator.issue({ session: sessionAt(NOW_MS), limit: null, repeatable, isLive: ALWAYS });
    };
    await issue(operatorsKey("another"));
    expect(await counted(() => issue(KEY))).toEqual(["created", 0]);
    // The session that it made.
    expect(await counted(() => issue(KEY))).toEqual(["repeated", 1]);
  });

  it("a consumption under such a key reads no other keys, and is repeated under it", async () => {
    const store = await newRedisStore(serverAt(server().port));
    const session = sessionAt(NOW_MS, METERED);
    await store.create(session);
    const budgets = new Map([[METERED.id, 100]]);
    const consume = (key: string) => {
      return store.usage.consume(session.id, { key, count: 1, keptSinceMs: 0, atMs: NOW_MS, budgets, isLive: ALWAYS });
    };
    await consume(operatorsKey("another"));
    expect(await counted(() => consume(KEY))).toEqual(["consumed", 0]);
    expect(await counted(() => consume(KEY))).toEqual(["repeated", 0]);
    expect((await store.find(session.id))?.tokens.consumed).toBe(2);
  });
});
