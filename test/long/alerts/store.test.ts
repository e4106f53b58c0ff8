// Each alert about the store fires for the fault that it names, at a real Prometheus that scrapes control planes over a real Redis.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it, onTestFinished } from "vitest";
import { initStore, issued, Plane } from "../../../control-plane/test/support/planes-over-server.js";
import { TcpProxy } from "../../../control-plane/test/support/servers/tcp-proxy.js";
import { useServer } from "../../../control-plane/test/support/servers/use-server.js";
import { clockFileIn } from "../../e2e/harness/clock-file.js";
import { notRun } from "../../../scripts/test/not-run.js";
import { findAlertmanager } from "../../../scripts/test/get-alertmanager.js";
import { findProgram } from "../../../scripts/test/get-prometheus.js";
import { during } from "./harness/during.js";
import { Monitoring } from "./harness/monitoring.js";

const policy = (maxTokens: number): string =>
  [
    "version: 1",
    `plans: [{ id: 0, name: starter, maxTokens: ${maxTokens}, tokenRefillRate: 10, tokenBudget: 9000000 }]`,
    "sessions: { cleanupInterval: 200 }",
    "",
  ].join("\n");

const server = useServer("Redis 7", { appendonly: true, appendfsync: "always" });
const folder = mkdtempSync(join(tmpdir(), "sluice-alerts-store-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const clock = await clockFileIn(folder);
const programs = await Promise.all([findProgram("prometheus"), findAlertmanager()]);

beforeEach(async (context) => {
  for (const one of programs) if ("reason" in one) notRun(context, one.reason);
  await initStore(server().port);
});

async function bounded(maxmemory: string): Promise<void> {
  await server().command("CONFIG", "SET", "maxmemory", maxmemory);
}

/** For this test alone: each has control planes of its own. */
async function monitored(...planes: readonly Plane[]): Promise<Monitoring> {
  const [prometheus, alertmanager] = programs;
  if ("reason" in prometheus || "reason" in alertmanager) throw new Error("there is no Prometheus");
  const targets = planes.map(({ status }) => ({ job: "sluice" as const, port: Number(new URL(status).port) }));
  const monitoring = await Monitoring.start({ prometheus, alertmanager }, targets);
  onTestFinished(() => monitoring.stop());
  return monitoring;
}

it("an operator is told of a store that is away and of sweeps that fail, until it is back", async () => {
  const monitoring = await monitored(await Plane.start(server().url, {}, policy(10)));
  await monitoring.quiet("SluiceStoreUnwritable", "SluiceNoSweep");
  await server().kill();
  await monitoring.fires("SluiceStoreUnwritable");
  await monitoring.fires("SluiceNoSweep");
  await server().restart();
  await monitoring.ends("SluiceStoreUnwritable");
  await monitoring.ends("SluiceNoSweep");
});

it("an operator is told of a store that is full, until there is room", async () => {
  const plane = await Plane.start(server().url, {}, policy(10));
  const monitoring = await monitored(plane);
  await monitoring.quiet("SluiceStoreUnwritable");
  await bounded("1");
  onTestFinished(() => bounded("0"));
  // That it is full shows with the next write.
  expect((await plane.operator("POST", "/v1/sessions", { userId: "u1", orgId: "o1" })).status).toBe(503);
  await monitoring.fires("SluiceStoreUnwritable");
  await bounded("0");
  await monitoring.ends("SluiceStoreUnwritable");
});

it("an operator is told of a store that may lose writes, and of writes that it has lost", async () => {
  const plane = await Plane.start(server().url, {}, policy(10));
  const monitoring = await monitored(plane);
  await monitoring.quiet("SluiceStoreNotDurable", "SluiceStoreCommitsLost");
  await server().command("CONFIG", "SET", "appendonly", "no");
  await server().command("SAVE");
  // The control plane asks for the settings with each link.
  await server().command("CLIENT", "KILL", "TYPE", "normal");
  await monitoring.fires("SluiceStoreNotDurable");
  for (const user of ["u1", "u2", "u3"]) await issued(plane, user);
  await server().kill();
  await server().restart();
  await monitoring.fires("SluiceStoreCommitsLost");
  await monitoring.ends("SluiceStoreCommitsLost");
});

it("an operator is told of a machine whose clock is not the store's, until it is", async (context) => {
  if (clock.missing !== undefined) notRun(context, clock.missing);
  clock.ahead(0);
  const monitoring = await monitored(await Plane.start(server().url, clock.env, policy(10)));
  await monitoring.quiet("SluiceStoreClockOff");
  clock.ahead(5);
  await monitoring.fires("SluiceStoreClockOff");
  clock.ahead(0);
  await monitoring.ends("SluiceStoreClockOff");
});

it("an operator is told of a policy file that is behind, until it has the newer policy", async () => {
  const [a, b] = [await Plane.start(server().url, {}, policy(10)), await Plane.start(server().url, {}, policy(10))];
  const monitoring = await monitored(a, b);
  await monitoring.quiet("SluicePolicyFileBehind");
  a.writePolicy(policy(11));
  await monitoring.fires("SluicePolicyFileBehind", { instance: new URL(b.status).host });
  b.writePolicy(policy(11));
  await monitoring.ends("SluicePolicyFileBehind");
});

it("an operator is told of one control plane of two that is gone, until it is back", async () => {
  const [a, b] = [await Plane.start(server().url, {}, policy(10)), await Plane.start(server().url, {}, policy(10))];
  const monitoring = await monitored(a, b);
  await monitoring.quiet("SluiceControlPlaneDown", "SluiceControlPlaneAbsent");
  await b.kill();
  await monitoring.fires("SluiceControlPlaneDown", { instance: new URL(b.status).host });
  await monitoring.quiet("SluiceControlPlaneAbsent");
  await b.restart();
  await monitoring.ends("SluiceControlPlaneDown");
});

it("an operator is told of updates that a distant control plane gives up", async () => {
  const proxy = await TcpProxy.listen(server().port);
  onTestFinished(() => proxy.close());
  const near = await Plane.start(server().url, {}, policy(1_000_000));
  const far = await Plane.start(`redis://127.0.0.1:${proxy.port}`, {}, policy(1_000_000));
  const monitoring = await monitored(near, far);
  await monitoring.quiet("SluiceStoreConflictsGivenUp");
  const path = `/v1/sessions/${await issued(near)}/consume`;
  proxy.delay(40);
  const fires = monitoring.fires("SluiceStoreConflictsGivenUp", { instance: new URL(far.status).host });
  const consumed = async (plane: Plane): Promise<void> => {
    expect([200, 503]).toContain((await plane.operator("POST", path, { count: 1 })).status);
  };
  // Loading and committing take the far one 80 ms each; meanwhile the near one has written each time.
  await Promise.all([near, far].map((plane) => during(fires, () => consumed(plane))));
  await monitoring.ends("SluiceStoreConflictsGivenUp");
});
