// A control plane is killed while it sweeps: another one goes on with it.
import { expect, it, onTestFinished } from "vitest";

import { initFilledStore, Plane } from "../../../control-plane/test/support/planes-over-server.js";
import { TcpProxy } from "../../../control-plane/test/support/servers/tcp-proxy.js";
import { useServer } from "../../../control-plane/test/support/servers/use-server.js";
import { until } from "../../../control-plane/test/support/until.js";

const server = useServer("Redis 7");
const MANY = 5000;
const TWO_DAYS_MS = 48 * 3_600_000;
const POLICY = `version: 1
controlPlane: { reportInterval: 1s }
sessions: { cleanupInterval: 1s }
plans:
  - { id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10 }
`;

const sessionsLeft = async (): Promise<number> => Number(await server().command("ZCARD", "{sluice}:plan:0"));

it("a sweep is carried to its end by another control plane when its own is killed in it", async () => {
  await initFilledStore(server().port, MANY, TWO_DAYS_MS);
  expect(await sessionsLeft()).toBe(MANY);
  const proxy = await TcpProxy.listen(server().port);
  onTestFinished(() => proxy.close());
  const sweeping = await Plane.start(`redis://127.0.0.1:${proxy.port}`, {}, POLICY);
  proxy.delay(30);
  await until(async () => {
    expect(await sessionsLeft()).toBeLessThan(MANY);
  });
  proxy.stall();
  const other = await Plane.start(server().url, {}, POLICY);
  await sweeping.kill();
  const left = await sessionsLeft();
  expect(left).toBeGreaterThan(0);
  await until(async () => {
    expect(await sessionsLeft()).toBe(0);
  });
  await until(() => {
    const removed = other.events("session-cleanup").map((line) => Number(line.removed));
    expect(removed.reduce((sum, one) => sum + one, 0)).toBe(left);
    return Promise.resolve();
  });
});
