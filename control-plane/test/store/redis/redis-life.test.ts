// Since when a real Redis is in its present life: written down with the log by whoever names it, and never earlier than it began.
import { describe, expect, it } from "vitest";

import { LEASE_GRACE_MS, LEASE_TTL_MS } from "../../../../assembly/contract.js";
import { unchanged } from "../../../src/domain/changes.js";
import { decideLeases } from "../../../src/domain/decisions/lease-tokens.js";
import { RedisEngine } from "../../../src/store/redis/engine.js";
import { raisedTo, SPENT } from "../../support/fleet-budgets.js";
import { newRedisStore, redisStoreAt, serverAt } from "../../support/redis-store.js";
import type { RedisStoreOfTests } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";
import { FLEET, sessionAt } from "../../support/sessions.js";
import { until } from "../../support/until.js";

const META = "{sluice}:meta";
const [OLD, NEW, LOST] = [sessionAt(1), sessionAt(2), sessionAt(3)];
const lifeOf = async (store: RedisStoreOfTests) => (await store.usage.look(OLD.id)).life;
const logOf = async (store: RedisStoreOfTests): Promise<string> => (await store.position()).log;

/** What one ask is granted by a control plane that knows nothing but what the store says, tokens. */
async function granted(store: RedisStoreOfTests, edge: string): Promise<number> {
  const ask = { edge, instance: "a".repeat(16), ask: 1, applied: 0, left: {}, back: {}, settled: {} };
  const asks = [{ ...ask, sessionId: OLD.id, cost: { "": 1_000_000 }, want: { "": 50_000_000 } }];
  const terms = { clock: undefined, wallMs: 0, planOf: () => FLEET };
  const { answer } = await store.update("leases", [OLD.id], (found) => decideLeases(found, asks, terms));
  return (answer.get(OLD.id)?.leased[0]?.answer?.granted[""] ?? 0) / 1_000_000;
}

describe("when the present life of a store in Redis began", () => {
  const server = useServer("Redis 7");

  it("a life begins at what is left of the fleet clock and with the sessions that are left", async () => {
    const store = await newRedisStore(serverAt(server().port));
    await store.create(OLD);
    await raisedTo(store, 5000);
    await server().command("SAVE");
    const log = await logOf(store);
    expect(await lifeOf(store)).toStrictEqual({ beganMs: 0, newestId: "", fleetMs: 5000 });
    await store.create(LOST);
    await raisedTo(store, 5900);
    await server().kill();
    await server().restart();
    await until(async () => {
      expect(await logOf(store)).not.toBe(log);
    });
    await store.create(NEW);
    await raisedTo(store, 6000);
    const life = { beganMs: 5000, newestId: OLD.id, fleetMs: 6000 };
    expect(await lifeOf(store)).toStrictEqual(life);
    // Whoever starts now knows no other life, and when this one began all the same.
    expect(await lifeOf(await redisStoreAt(serverAt(server().port)))).toStrictEqual(life);
  });

  it("a first budget that a failover lost is granted to nobody until its leases have ended", async () => {
    const store = await newRedisStore(serverAt(server().port));
    await store.create(OLD);
    await raisedTo(store, 5000);
    await server().command("SAVE");
    expect(await granted(store, "gw-1")).toBe(50);
    await server().kill();
    await server().restart();
    const late = await redisStoreAt(serverAt(server().port));
    expect((await late.usage.look(OLD.id)).found).not.toHaveProperty("budget");
    expect(await granted(late, "gw-2")).toBe(0);
    await raisedTo(late, 5000 + LEASE_TTL_MS + LEASE_GRACE_MS - 1);
    expect(await granted(late, "gw-3")).toBe(0);
    await raisedTo(late, 5000 + LEASE_TTL_MS + LEASE_GRACE_MS + 400);
    // Half of what has come in since.
    expect(await granted(late, "gw-4")).toBe(2);
  });

  it("a log that an earlier version named began when the first one looked that says so", async () => {
    const store = await newRedisStore(serverAt(server().port));
    await store.create(OLD);
    await raisedTo(store, 700);
    await server().command("HSET", META, "log", "00000000000000cc");
    // Until then it may have begun just now, and each session may be one of before.
    expect(await lifeOf(store)).toMatchObject({ beganMs: 700, fleetMs: 700 });
    expect((await lifeOf(store)).newestId > NEW.id).toBe(true);
    const late = await redisStoreAt(serverAt(server().port));
    await raisedTo(store, 900);
    await redisStoreAt(serverAt(server().port));
    const life = { beganMs: 700, newestId: OLD.id, fleetMs: 900 };
    for (const one of [store, late]) expect(await lifeOf(one)).toStrictEqual(life);
    expect(await logOf(late)).toBe("00000000000000cc");
  });

  it.each(["leases", "session"] as const)(
    "what was decided on a load of %s counts in that life alone",
    async (kind) => {
      const store = await newRedisStore(serverAt(server().port));
      await store.create(OLD);
      const engine = new RedisEngine(store["reads"], store["commits"]);
      const load = () => (kind === "leases" ? engine.load(kind, [OLD.id]) : engine.load(kind, OLD.id));
      const before = await load();
      await server().command("HSET", META, "log", "00000000000000dd");
      const budget = { budgets: [{ sessionId: OLD.id, budget: SPENT }] };
      expect(await engine.commit(budget, before.versions)).toBe("conflict");
      expect((await store.update("leases", [OLD.id], unchanged)).answer.found.get(OLD.id)).not.toHaveProperty("budget");
      expect(await engine.commit(budget, (await load()).versions)).toBe("committed");
    },
  );
});
