// Two control planes over a Redis that is full: nobody stays in who is shut out, and it heals without an operator.
import { expect, it, onTestFinished } from "vitest";

import { WatchingEdge } from "../../control-plane/test/support/edge-of-planes.js";
import {
  initFilledStore,
  initStore,
  issued,
  Plane,
  stateOf,
} from "../../control-plane/test/support/planes-over-server.js";
import { useServer } from "../../control-plane/test/support/servers/use-server.js";
import { HOUR_MS } from "../../control-plane/test/support/sessions.js";
import { until } from "../../control-plane/test/support/until.js";

const server = useServer("Redis 7");
const FULL = /it is full/;

async function bounded(maxmemory: number): Promise<void> {
  await server().command("CONFIG", "SET", "maxmemory", String(maxmemory));
  onTestFinished(async () => {
    await server().command("CONFIG", "SET", "maxmemory", "0");
  });
}

it("a revocation over a full store is 204 and heard at the other process, a creation is 503", async () => {
  await initStore(server().port);
  const [a, b] = await Promise.all([Plane.start(server().url), Plane.start(server().url)]);
  const [id, another] = [await issued(a, "u1"), await issued(a, "u2")];
  const edge = new WatchingEdge("gw-a", "a".repeat(16));
  await edge.watch(b);
  await bounded(1);
  const refused = await a.operator("POST", "/v1/sessions", { userId: "u1", orgId: "o1" });
  expect([refused.status, refused.retryAfter !== null]).toEqual([503, true]);
  const hangs = edge.watch(b);
  expect((await a.operator("DELETE", `/v1/sessions/${id}`)).status).toBe(204);
  expect(await hangs).toMatchObject({ revoked: [id] });
  expect((await a.operator("DELETE", "/v1/sessions?userId=u2")).status).toBe(202);
  expect(await edge.watch(b)).toMatchObject({ revoked: [another] });
  expect([await stateOf(a, id), await stateOf(b, another)]).toEqual(["revoked", "revoked"]);
  expect((await edge.acquire(b, id)).body).toMatchObject({ state: "revoked" });
  const readiness = await a.readiness();
  expect([readiness.status, FULL.test(readiness.why)]).toEqual([503, true]);
});

it("a full store is swept by itself, and takes new sessions again", async () => {
  const plan = "plans: [{ id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10 }]";
  const often = "sessions: { cleanupInterval: 100 }\ncontrolPlane: { reportInterval: 100 }";
  await initStore(server().port);
  const plane = await Plane.start(server().url, {}, `version: 1\n${plan}\n${often}\n`);
  await plane.stop();
  await initFilledStore(server().port, 1000, 48 * HOUR_MS);
  const used = Number(await server().info("used_memory"));
  await bounded(used - 500_000);
  await plane.restart();
  await until(() => issued(plane));
  expect(plane.events("session-cleanup").some(({ removed }) => removed === 1000)).toBe(true);
  await until(async () => {
    expect((await plane.readiness()).status).toBe(200);
  });
});
