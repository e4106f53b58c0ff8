// The filter in a sidecar of Istio and in a Gateway of Envoy Gateway, as their control planes hand it to a real Envoy: by
// listeners and extensions of a management server, the only server in Envoy's bootstrap. Not tested here: that a cluster
// selects the right pods, that the proxies have the secret, and the code's way from a registry.
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { CODE_MISSING_SESSION } from "../../../assembly/contract.js";
import { until } from "../../../control-plane/test/support/until.js";
import { versionedFilter } from "../../../scripts/filter-file.js";
import { findEnvoy } from "../../../scripts/get-envoy.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { envoyPlan } from "../../../scripts/start/envoy-process.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { waitForAnswer } from "../../../scripts/start/readiness.js";
import { ControlPlaneClient } from "../harness/control-plane-client.js";
import { send } from "../harness/http1.js";
import { Part } from "../harness/part.js";
import { policyOf, type PolicyDocument } from "../harness/policy.js";
import { controlPlanePart, writePolicy } from "../harness/processes.js";
import { Upstream } from "../harness/upstream.js";
import {
  callCluster,
  type CallRoute,
  CODE_CLUSTER,
  envoyGatewayListener,
  type ExtensionPolicy,
  SERVICE_ROUTE,
} from "../harness/xds/envoy-gateway.js";
import {
  CONTROL_PLANE,
  extensionOf,
  gatewayBootstrap,
  gatewayClusters,
  INBOUND,
  inboundListener,
  SIDECAR,
  type WasmPlugin,
} from "../harness/xds/istio.js";
import { XdsServer } from "../harness/xds/server.js";

const filterFile = join(projectRoot, "build/sluice.wasm");
/** The first document of an example. */
const example = (file: string): unknown =>
  parseAllDocuments(readFileSync(join(projectRoot, "envoy", file), "utf8"))[0]?.toJS();
const policyWith = (maxTokens: number): PolicyDocument =>
  policyOf([{ name: "default", maxTokens, tokenRefillRate: 0 }], {
    controlPlane: { reportInterval: 300 },
    routes: [{ match: { path: "/healthz" }, exempt: true }],
  });

interface Ports {
  readonly proxy: number;
  readonly http: number;
  readonly service: number;
  readonly code: number;
}
interface Form {
  readonly nodeId: string;
  readonly offer: (mesh: XdsServer, ports: Ports, folder: string) => void;
}

const sidecar: Form = {
  nodeId: SIDECAR,
  offer: (mesh, { proxy, http, service }, folder) => {
    const plugin = example("istio/sidecar.yaml") as WasmPlugin;
    mesh.offer("cluster", gatewayClusters(service, { [INBOUND]: service, [CONTROL_PLANE]: http }));
    mesh.offer("listener", [inboundListener(plugin, proxy)]);
    mesh.offer("extension", [extensionOf(plugin, versionedFilter(filterFile, folder))]);
  },
};

const envoyGateway: Form = {
  nodeId: "envoy-default-eg-e41e7b31-7d4b9c7f5-x2v9q",
  offer: (mesh, { proxy, http, service, code }) => {
    const calls = example("gateway/calls.yaml") as CallRoute;
    const sha256 = createHash("sha256").update(readFileSync(filterFile)).digest("hex");
    const clusters = { [SERVICE_ROUTE]: service, [callCluster(calls)]: http, [CODE_CLUSTER]: code };
    mesh.offer("cluster", gatewayClusters(service, clusters));
    const policy = example("gateway/extension-policy.yaml") as ExtensionPolicy;
    mesh.offer("listener", [envoyGatewayListener(policy, calls, { port: proxy, sha256 })]);
  },
};

describe.each([
  ["a sidecar of Istio", sidecar],
  ["a Gateway of Envoy Gateway", envoyGateway],
])("%s", (name, form) => {
  let folder: string;
  let ports: Ports;
  let mesh: XdsServer;
  let api: ControlPlaneClient;
  const ends: (() => unknown)[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "sluice-mesh-form-"));
    const [http = 0, status = 0, service = 0, xds = 0, admin = 0, proxy = 0, code = 0] = await freePorts(7);
    ports = { proxy, http, service, code };
    const secret = randomBytes(32).toString("hex");
    const adminToken = randomBytes(32).toString("base64url");
    writePolicy(folder, policyWith(5));
    const plane = { http, status, upstream: service };
    api = new ControlPlaneClient(plane, adminToken);
    const started = async (part: Part): Promise<void> => {
      ends.push(() => part.stop());
      await part.start();
    };
    await started(controlPlanePart({ folder, ports: plane, secret }, { SLUICE_ADMIN_TOKEN: adminToken }, api));
    const upstream = await Upstream.listen(service);
    ends.push(() => upstream.close());
    const codeServer = createServer((_, response) => response.end(readFileSync(filterFile)));
    await new Promise<void>((listening) => codeServer.listen(code, "127.0.0.1", listening));
    ends.push(() => codeServer.close());
    mesh = await XdsServer.listen(xds);
    ends.push(() => {
      mesh.close();
    });
    form.offer(mesh, ports, folder);
    const configFile = join(folder, "bootstrap.json");
    writeFileSync(configFile, gatewayBootstrap(form.nodeId, { admin, xds }));
    const plan = envoyPlan({ binary: await findEnvoy(), configFile, logFile: join(folder, "envoy.log"), secret });
    await started(
      new Part(plan, (signal) =>
        waitForAnswer(
          `http://127.0.0.1:${proxy}/`,
          { status: 401, text: CODE_MISSING_SESSION },
          { timeoutMs: 100_000, signal },
        ),
      ),
    );
  });

  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
    rmSync(folder, { recursive: true, force: true });
  });

  it(`${name} limits by a policy that stands in none of its configuration, and reports`, async () => {
    const { id, token } = await api.issue();
    const statuses: number[] = [];
    while (statuses.length < 6) statuses.push((await send(ports.proxy, { token })).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    await until(async () => {
      expect((await api.session(id)).tokens.consumed).toBe(5);
      expect(await api.edges()).toMatchObject([{ edge: form.nodeId, state: "current" }]);
    });
    expect(mesh.rejections).toEqual([]);
  });

  it(`${name} lets probes of an exempt route through without a session`, async () => {
    expect((await send(ports.proxy, { path: "/healthz" })).status).toBe(200);
    expect((await send(ports.proxy, { path: "/" })).status).toBe(401);
  });

  it(`${name} follows a policy change with nothing new from its own control plane`, async () => {
    const { token } = await api.issue();
    writePolicy(folder, policyWith(8));
    await until(async () => {
      expect((await send(ports.proxy, { token })).headers["ratelimit-policy"]).toBe('"default";q=8');
    });
  });
});

it("no request takes the route that makes the cluster of the filter's calls", () => {
  const { rules } = (example("gateway/calls.yaml") as CallRoute).spec;
  const never = new RegExp(`^(?:${rules[0].matches[0].headers[0].value})$`, "u");
  for (let code = 0; code < 0x1_0000; code++) expect(never.test(String.fromCharCode(code))).toBe(false);
  expect(never.test("")).toBe(false);
});
