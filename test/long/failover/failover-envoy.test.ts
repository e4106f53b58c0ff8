// A real Envoy whose calls go to one of two control planes over one Redis: revocations at the other one, a control plane that is
// killed, and the store.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it, onTestFailed, onTestFinished } from "vitest";
import type { Document } from "yaml";

import { initStore } from "../../../control-plane/test/support/planes-over-server.js";
import { StoreServer } from "../../../control-plane/test/support/servers/store-server.js";
import { useProgram } from "../../../control-plane/test/support/servers/use-server.js";
import { until } from "../../../control-plane/test/support/until.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { INVALID } from "../../e2e/harness/answers.js";
import { changed } from "../../e2e/harness/bootstrap.js";
import { ControlPlaneClient } from "../../e2e/harness/control-plane-client.js";
import type { IssuedSession } from "../../e2e/harness/control-plane-client.js";
import { Installation } from "../../e2e/harness/installation.js";
import { policyOf } from "../../e2e/harness/policy.js";
import { controlPlanePart, writePolicy } from "../../e2e/harness/processes.js";

const POLICY = policyOf([{ name: "default", maxTokens: 9_000_000, tokenRefillRate: 0 }], {
  onUnreachable: "deny",
  controlPlane: { reportInterval: 300 },
});
const HELD = "sluice_control_watches_held";
const EACH_MS = 20;
const program = useProgram("Redis 7");

/** The first control plane is called while it takes connections, and then the second one. */
function withSecond(yaml: string, port: number): string {
  const cluster = ["static_resources", "clusters", 1];
  const checks = {
    ...{ timeout: "1s", interval: "0.2s", no_traffic_interval: "0.2s", unhealthy_threshold: 1, healthy_threshold: 1 },
    tcp_health_check: {},
  };
  const address = { socket_address: { address: "127.0.0.1", port_value: port } };
  const second = { priority: 1, lb_endpoints: [{ endpoint: { address } }] };
  return changed(yaml, (document: Document) => {
    expect(document.getIn([...cluster, "name"])).toBe("sluice_control_plane");
    document.setIn([...cluster, "health_checks"], document.createNode([checks]));
    document.setIn([...cluster, "load_assignment", "endpoints", 1], document.createNode(second));
  });
}

async function scene() {
  const server = await StoreServer.start(program(), { appendonly: true, appendfsync: "always" });
  onTestFinished(() => server.remove());
  await initStore(server.port);
  const [http = 0, status = 0] = await freePorts(2);
  const store = { SLUICE_STORE: server.url };
  const sluice = await Installation.start({
    policy: POLICY,
    controlPlaneEnv: store,
    bootstrap: (yaml) => withSecond(yaml, http),
  });
  const folder = mkdtempSync(join(tmpdir(), "sluice-e2e-"));
  const ports = { http, status, upstream: sluice.ports.upstream };
  const api = new ControlPlaneClient(ports, sluice.adminToken);
  writePolicy(folder, POLICY);
  const env = { SLUICE_ADMIN_TOKEN: sluice.adminToken, ...store };
  const second = controlPlanePart({ folder, ports, secret: sluice.secret }, env, api);
  onTestFinished(async () => {
    await second.stop();
    await sluice.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  onTestFailed(() => {
    console.error(sluice.logTails, second.logTail);
  });
  await second.start();
  return { server, sluice, a: { part: sluice.controlPlane, api: sluice.api }, b: { part: second, api } };
}

const heldAt = async (api: ControlPlaneClient): Promise<number> => (await api.metrics()).get(HELD) ?? 0;

/** A client that goes on, request after request; resolves with how often each status came. */
function goesOn(sluice: Installation, token: string): () => Promise<ReadonlyMap<number, number>> {
  const statuses = new Map<number, number>();
  const over = new AbortController();
  const running = (async () => {
    while (!over.signal.aborted) {
      const { status } = await sluice.send({ token });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      await delay(EACH_MS);
    }
  })();
  return async () => {
    over.abort();
    await running;
    return statuses;
  };
}

it("clients of an Envoy go on, and the revoked are denied, through kills of each and of Redis", async () => {
  const { server, sluice, a, b } = await scene();
  const live = await a.api.issue();
  const stop = goesOn(sluice, live.token);
  const revoked: IssuedSession[] = [];
  const tookMs: Record<string, number> = {};

  /** Issued at one, served by the Envoy, revoked at the other, and denied. */
  const revokes = async (said: string, issuer: ControlPlaneClient, revoker: ControlPlaneClient): Promise<void> => {
    const session = await issuer.issue();
    await until(async () => {
      expect((await sluice.send({ token: session.token })).status).toBe(200);
    });
    await revoker.revoke(session.id);
    const atMs = performance.now();
    await until(async () => {
      expect(await sluice.send({ token: session.token })).toMatchObject({ status: 401, body: INVALID });
    });
    tookMs[said] = Math.round(performance.now() - atMs);
    revoked.push(session);
  };

  expect([await heldAt(a.api), await heldAt(b.api)]).toEqual([1, 0]);
  await revokes("at the other", a.api, b.api);

  await a.part.killHard();
  await until(async () => {
    expect(await heldAt(b.api)).toBe(1);
  });
  await revokes("after a kill", b.api, b.api);
  await a.part.start();
  await revokes("after its return", b.api, a.api);

  await server.kill();
  await delay(1000);
  await server.restart();
  await until(async () => {
    expect(await Promise.all([a, b].map(({ api }) => api.probe("/readyz")))).toEqual([200, 200]);
  });
  await revokes("after a kill of Redis", a.api, b.api);
  for (const { token } of revoked) expect((await sluice.send({ token })).status).toBe(401);

  const statuses = await stop();
  expect([...statuses.keys()]).toEqual([200]);
  await until(async () => {
    expect((await b.api.session(live.id)).tokens.consumed).toBe(statuses.get(200));
  });
  console.log(`denied after ms: ${JSON.stringify(tookMs)}; ${statuses.get(200) ?? 0} requests went on`);
});
