// Acknowledged writes that the store does not have any more are counted; those that it has are not, however often it is reconnected to.
import { describe, expect, it, onTestFinished } from "vitest";

import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { quiet } from "../../support/quiet-logger.js";
import { newRedisStore, redisStoreAt, serverAt, uncounted } from "../../support/redis-store.js";
import type { RedisStoreOfTests } from "../../support/redis-store.js";
import { StoreServer } from "../../support/servers/store-server.js";
import { TcpProxy } from "../../support/servers/tcp-proxy.js";
import { useProgram, useServer } from "../../support/servers/use-server.js";
import { sessionAt } from "../../support/sessions.js";
import { isWritable, untilStore } from "../../support/store-waits.js";
import { until } from "../../support/until.js";

const NOW_MS = Date.UTC(2026, 0, 1);

/** What a process counts as lost, and the events that it logs. */
function heard() {
  const [lost, events]: [number[], string[]] = [[], []];
  const note = ({ event }: object & { event?: unknown }): void => void events.push(String(event));
  const logger = { ...quiet, info: note, warn: note, error: note };
  return { lost, events, parts: { logger, meter: { ...uncounted, lost: (commits: number) => lost.push(commits) } } };
}

const linksIn = (events: readonly string[]): number => events.filter((event) => event === "store-linked").length;

async function create(store: RedisStoreOfTests, count: number): Promise<void> {
  for (let made = 0; made < count; made++) await store.create(sessionAt(NOW_MS));
}

describe("acknowledged writes over connections that end", () => {
  const program = useProgram("Redis 7");
  const server = useServer("Redis 7");

  it("connections that end and are made anew lose nothing, and nothing is said to be lost", async () => {
    const { lost, events, parts } = heard();
    const store = await newRedisStore(serverAt(server().port), parts);
    for (const links of [2, 3]) {
      await create(store, 5);
      await server().command("CLIENT", "KILL", "TYPE", "normal");
      await untilStore(store, () => linksIn(events) === links);
    }
    expect(lost).toEqual([]);
    expect(events).not.toContain("store-lost-commits");
  });

  it("no write between a replica's arrival and the look that finds it is taken for lost", async () => {
    const timers = new ManualTimers(new FixedClock(NOW_MS));
    const { lost, events, parts } = heard();
    const first = await newRedisStore(serverAt(server().port));
    const store = await redisStoreAt(serverAt(server().port), { ...parts, timers });
    await create(store, 2);
    const { log } = await store.position();
    const replica = await StoreServer.start(program(), { replicaOf: server().port });
    onTestFinished(() => replica.remove());
    await until(async () => {
      expect((await first.position()).log).not.toBe(log);
    });
    // By its own link this is still the life before.
    await create(store, 5);
    await until(() => {
      timers.advance(1000);
      expect(linksIn(events)).toBeGreaterThan(1);
    });
    await create(store, 1);
    expect(lost).toEqual([]);
  });

  it("each write that a crash took back is counted once, whatever becomes of the connection", async () => {
    const { lost, events, parts } = heard();
    const store = await newRedisStore(serverAt(server().port), parts);
    await create(store, 1);
    await server().command("SAVE");
    await create(store, 3);
    await server().kill();
    await server().restart();
    await untilStore(store, isWritable(store));
    expect(lost).toEqual([3]);
    await server().command("CLIENT", "KILL", "TYPE", "normal");
    await untilStore(store, () => linksIn(events) === 3);
    expect(lost).toEqual([3]);
  });

  it("what others wrote while a connection was away is read after it, and nothing fails", async () => {
    const other = await newRedisStore(serverAt(server().port));
    const session = sessionAt(NOW_MS);
    await other.create(session);
    const proxy = await TcpProxy.listen(server().port);
    onTestFinished(() => proxy.close());
    const { events, parts } = heard();
    const store = await redisStoreAt(serverAt(proxy.port), parts);
    const advances: object[] = [];
    store.invalidations.subscribe((advance) => advances.push(advance));
    await proxy.close();
    await untilStore(store, () => store.health.unwritable() !== undefined);
    await other.revoke(session.id, NOW_MS);
    await proxy.reopen();
    await untilStore(store, () => advances.length > 0);
    expect(advances).toMatchObject([{ cursor: 1, revoked: true }]);
    expect(events).not.toContain("log-read-failed");
  });
});
