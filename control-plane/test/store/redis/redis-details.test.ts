// How far sessions have lost what was known of their client, in a real Redis.
import { describe, expect, it } from "vitest";

import { sessionIdFloor } from "../../../src/domain/session-id.js";
import { newRedisStore, serverAt } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";
import { sessionAt } from "../../support/sessions.js";

const DAY_MS = 86_400_000;
const NOW_MS = 30 * DAY_MS;
const META = "{sluice}:meta";

describe("what is known of clients, in Redis", () => {
  const server = useServer("Redis 7");
  const filled = async () => {
    const store = await newRedisStore(serverAt(server().port));
    const sessions = [1, 2, 3].map((at) => sessionAt(at));
    for (const session of sessions) await store.create(session);
    return { store, ids: sessions.map(({ id }) => id) };
  };

  it("sessions whose clients were forgotten are not walked over again", async () => {
    const { store, ids } = await filled();
    expect(await store.operator.forgetMetadata(NOW_MS, 2)).toBe(2);
    expect(await store.operator.forgetMetadata(NOW_MS, 2)).toBe(1);
    expect(await server().command("HGET", META, "detailsForgotten")).toBe(ids[1]);
    expect(await store.operator.forgetMetadata(NOW_MS, 2)).toBe(0);
    expect(await server().command("HGET", META, "detailsForgotten")).toBe(ids[2]);
  });

  it("a client is forgotten also where a clock that was ahead had passed its session", async () => {
    const { store } = await filled();
    await server().command("HSET", META, "detailsForgotten", sessionIdFloor(NOW_MS + 40 * DAY_MS));
    expect(await store.operator.forgetMetadata(NOW_MS, 9)).toBe(3);
  });

  it("clients after more pages of forgotten ones than a step passes are reached by the next step", async () => {
    const { store } = await filled();
    const sessions = Array.from({ length: 30 }, (_, i) => {
      const session = sessionAt(100 + i);
      return i === 29 ? session : { ...session, metadata: { ...session.metadata, ip: null, userAgent: null } };
    });
    for (const session of sessions) await store.create(session);
    let steps = 0;
    while ((await store.operator.forgetMetadata(NOW_MS, 1)) > 0) steps++;
    expect(steps).toBeLessThan(33);
    expect((await store.find(sessions[29]?.id ?? ""))?.metadata.ip).toBeNull();
  });
});
