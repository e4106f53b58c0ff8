// What was decided on a session is not written in a real Redis once something else was written of it.
import { describe, expect, it } from "vitest";

import type { Changes } from "../../../src/domain/changes.js";
import { RedisEngine } from "../../../src/store/redis/engine.js";
import { SPENT } from "../../support/fleet-budgets.js";
import { newRedisStore, serverAt } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";
import { sessionAt } from "../../support/sessions.js";

const SESSION = sessionAt(1);
const OF = { sessionId: SESSION.id, edge: "edge-1", instance: "a".repeat(16) };
const ROW: Changes = { rows: [{ ...OF, acquiredAtMs: 2, figures: null }] };
const WRITES: readonly (readonly [string, Changes])[] = [
  ["a row", ROW],
  ["the session", { sessions: [{ before: SESSION, after: { ...SESSION, lastActivity: 3 } }] }],
  ["its fleet budget", { budgets: [{ sessionId: SESSION.id, budget: SPENT }] }],
  ["the end of its fleet budget", { budgets: [{ sessionId: SESSION.id, budget: null }] }],
  ["the end of a row", { removedRows: [OF] }],
  ["the end of the session", { sessions: [{ before: SESSION, after: null }] }],
];

describe("two decisions on one session in Redis", () => {
  const server = useServer("Redis 7");

  it.each(WRITES)("the second decision is a conflict once %s was written", async (_what, changes) => {
    const store = await newRedisStore(serverAt(server().port));
    await store.create(SESSION);
    const engine = new RedisEngine(store["reads"], store["commits"]);
    const [one, other] = [await engine.load("session", SESSION.id), await engine.load("session", SESSION.id)];
    expect(await engine.commit(changes, one.versions)).toBe("committed");
    expect(await engine.commit(ROW, other.versions)).toBe("conflict");
    const now = await engine.load("session", SESSION.id);
    expect(await engine.commit(ROW, now.versions)).toBe("committed");
  });

  it.each(WRITES)("leases of two sessions are a conflict once %s was written of one", async (_what, changes) => {
    const store = await newRedisStore(serverAt(server().port));
    const other = sessionAt(2);
    for (const session of [SESSION, other]) await store.create(session);
    const engine = new RedisEngine(store["reads"], store["commits"]);
    const [one, both] = [await engine.load("session", SESSION.id), await engine.load("leases", [other.id, SESSION.id])];
    expect(await engine.commit(changes, one.versions)).toBe("committed");
    const leases = { budgets: [{ sessionId: other.id, budget: SPENT }] };
    expect(await engine.commit(leases, both.versions)).toBe("conflict");
    const now = await engine.load("leases", [other.id, SESSION.id]);
    expect(now.found.found.get(other.id)).toEqual({ session: other, rows: [] });
    expect(await engine.commit(leases, now.versions)).toBe("committed");
  });
});
