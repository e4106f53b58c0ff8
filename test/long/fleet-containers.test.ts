// docker compose --profile fleet up with the repository's files: two control planes over one Valkey, and two Envoys.
import { beforeEach, expect, it } from "vitest";
import { until } from "../../control-plane/test/support/until.js";
import { BUILD_AND_START_MS, useCompose } from "./compose-project.js";

const CONTROL_PLANES = ["control-plane-1", "control-plane-2"];
const ENVOYS = ["envoy-1", "envoy-2"];
const SERVICES = [...CONTROL_PLANES, "control-planes", "demo", ...ENVOYS, "valkey"];
const sluice = await useCompose("fleet");

beforeEach(async () => {
  await sluice.compose("up", "--detach", "--wait");
}, BUILD_AND_START_MS);

/** At each of the two Envoys. */
async function statusesWith(token: string): Promise<number[]> {
  const proxies = await Promise.all(ENVOYS.map((envoy) => sluice.addressOf(envoy, 10000)));
  return Promise.all(proxies.map(async (proxy) => (await sluice.request(token, proxy)).status));
}

async function metricsOf(service: string): Promise<string> {
  return (await fetch(`${await sluice.addressOf(service, 8081)}metrics`)).text();
}

it("the calls of two Envoys are spread over two control planes, which have one address", async () => {
  for (let i = 0; i < 8; i++) {
    expect(await statusesWith((await sluice.newSession("control-plane-1")).token)).toEqual([200, 200]);
  }
  for (const plane of CONTROL_PLANES) {
    const metrics = await metricsOf(plane);
    expect(metrics, plane).toMatch(/^sluice_control_acquires_total\{outcome="live"\} [1-9]/m);
    expect(metrics, plane).toMatch(/^sluice_control_store_durable 1$/m);
  }
  await until(async () => {
    const { edges } = (await (await sluice.api("GET", "edges")).json()) as {
      edges: { edge: string; watching: boolean }[];
    };
    expect(edges.map(({ edge, watching }) => [edge, watching])).toEqual(ENVOYS.map((envoy) => [envoy, true]));
  });
});

it("one of two control planes may go, and the other issues and revokes at the same address", async () => {
  await sluice.compose("kill", "control-plane-1");
  const { session, token } = await sluice.newSession("control-plane-2");
  expect(await statusesWith(token)).toEqual([200, 200]);
  expect((await sluice.api("DELETE", `sessions/${session.id}?wait=10s`)).status).toBe(200);
  expect(await statusesWith(token)).toEqual([401, 401]);
});

it("a Valkey that was killed has each session that it had, under the same password", async () => {
  const { session } = await sluice.newSession("control-plane-1");
  const password = (await sluice.inside("control-plane-1", "cat", "/run/sluice/store-password")).trim();
  await sluice.compose("kill", "valkey");
  await sluice.compose("up", "--detach", "--wait");
  await until(async () => {
    expect((await sluice.api("GET", `sessions/${session.id}`)).status).toBe(200);
  });
  expect((await sluice.inside("control-plane-1", "cat", "/run/sluice/store-password")).trim()).toBe(password);
});

it("the store's password is in files of one user, and neither in a log nor at the server", async () => {
  const password = (await sluice.inside("control-plane-1", "cat", "/run/sluice/store-password")).trim();
  expect(Buffer.from(password, "base64url")).toHaveLength(32);
  expect((await sluice.compose("logs", "--no-color")).includes(password), "in a log").toBe(false);
  const atServer = await sluice.inside("valkey", "sh", "-c", "cat /proc/1/cmdline /data/valkey.conf");
  expect(atServer.includes(password), "at the server").toBe(false);
  expect(await sluice.inside("valkey", "stat", "-c", "%a", "/data/valkey.conf")).toBe("600\n");
  const modes = await sluice.inside("control-plane-2", "sh", "-c", "stat -c %a /run/sluice/*");
  expect(modes).toBe("600\n".repeat(5));
  for (const service of SERVICES) {
    expect(await sluice.inside(service, "id", "-u"), `the user of ${service}`).toBe("1000\n");
  }
});

it("docker compose --profile fleet down leaves nothing", async () => {
  expect((await sluice.compose("ps", "--services")).trim().split("\n").sort()).toEqual(SERVICES);
  await sluice.compose("down", "--volumes");
  expect(await sluice.left()).toBe("");
});
