// The example for Istio in a gateway's Envoy: Istio's translation of envoy/istio/wasmplugin.yaml comes over LDS, CDS and
// ECDS from a management server, the only server in Envoy's bootstrap. Not tested here: that a cluster selects the right
// pods, and that the proxy has the secret in its environment.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { CODE_MISSING_SESSION } from "../../../assembly/contract.js";
import { until } from "../../../control-plane/test/support/until.js";
import { envoyPlan } from "../../../scripts/start/envoy-process.js";
import { versionedFilter } from "../../../scripts/filter-file.js";
import { findEnvoy } from "../../../scripts/get-envoy.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { waitForAnswer } from "../../../scripts/start/readiness.js";
import { LIMITED } from "../harness/answers.js";
import { ControlPlaneClient } from "../harness/control-plane-client.js";
import { EnvoyAdmin } from "../harness/envoy-admin.js";
import { type HttpAnswer, send } from "../harness/http1.js";
import { Part } from "../harness/part.js";
import { policyOf, type PolicyDocument } from "../harness/policy.js";
import { controlPlanePart, writePolicy } from "../harness/processes.js";
import { Upstream } from "../harness/upstream.js";
import {
  CONTROL_PLANE,
  extensionOf,
  GATEWAY,
  gatewayBootstrap,
  gatewayClusters,
  gatewayListener,
  type WasmPlugin,
} from "../harness/xds/istio.js";
import { XdsServer } from "../harness/xds/server.js";

const example = (file: string): unknown => parse(readFileSync(join(projectRoot, "envoy/istio", file), "utf8"));
const plugin = example("wasmplugin.yaml") as WasmPlugin;
const policyWith = (maxTokens: number): PolicyDocument =>
  policyOf([{ name: "default", maxTokens, tokenRefillRate: 0 }], { controlPlane: { reportInterval: 300 } });

/** What the examples put on a gateway's pods, for its metrics. */
interface Deployment {
  readonly spec: {
    readonly template: { readonly metadata: { readonly annotations: Readonly<Record<string, string>> } };
  };
}
const tagsOf = ({ spec }: Deployment): string =>
  spec.template.metadata.annotations["sidecar.istio.io/extraStatTags"] ?? "";
const extraStatTags = tagsOf(example("injected-env.yaml") as Deployment);

let folder: string;
let proxy: number;
let mesh: XdsServer;
let api: ControlPlaneClient;
let envoyAdmin: EnvoyAdmin;
const parts: Part[] = [];
/** What ends what was started, in the order in which it was. */
const ends: (() => unknown)[] = [];

async function start(): Promise<void> {
  const [http = 0, status = 0, service = 0, xds = 0, admin = 0, listener = 0] = await freePorts(6);
  proxy = listener;
  const secret = randomBytes(32).toString("hex");
  const adminToken = randomBytes(32).toString("base64url");
  writePolicy(folder, policyWith(5));
  const ports = { http, status, upstream: service };
  api = new ControlPlaneClient(ports, adminToken);
  const controlPlane = controlPlanePart({ folder, ports, secret }, { SLUICE_ADMIN_TOKEN: adminToken }, api);
  await started(controlPlane);

  const upstream = await Upstream.listen(service);
  ends.push(() => upstream.close());
  mesh = await XdsServer.listen(xds);
  ends.push(() => {
    mesh.close();
  });
  mesh.offer("cluster", gatewayClusters(service, { [CONTROL_PLANE]: http }));
  mesh.offer("listener", [gatewayListener(plugin, proxy)]);
  mesh.offer("extension", [extensionOf(plugin, versionedFilter(join(projectRoot, "build/sluice.wasm"), folder))]);

  const configFile = join(folder, "bootstrap.json");
  envoyAdmin = new EnvoyAdmin(admin);
  writeFileSync(configFile, gatewayBootstrap(GATEWAY, { admin, xds }, extraStatTags.split(",")));
  const logFile = join(folder, "envoy.log");
  const plan = envoyPlan({ binary: await findEnvoy(), configFile, logFile, secret });
  const envoy = new Part(plan, (signal) => {
    const served = { status: 401, text: CODE_MISSING_SESSION };
    return waitForAnswer(`http://127.0.0.1:${proxy}/`, served, { timeoutMs: 100_000, signal });
  });
  await started(envoy);
}

async function started(part: Part): Promise<void> {
  parts.push(part);
  ends.push(() => part.stop());
  await part.start();
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-istio-"));
  await start();
});

beforeEach(({ onTestFailed }) => {
  onTestFailed(() => {
    console.error(parts.map(({ logTail }) => logTail).join("\n"), mesh.rejections);
  });
});

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (token: string): Promise<HttpAnswer> => send(proxy, { token });

/** Resolves when the gateway says of each of its workers that it runs the policy that is in force. */
const isCurrent = (): Promise<void> =>
  until(async () => {
    expect(await api.edges()).toMatchObject([{ edge: GATEWAY, state: "current" }]);
  });

describe("a gateway with the WasmPlugin of the example", () => {
  it("the gateway accepts all that Istio makes of the WasmPlugin", async () => {
    await isCurrent();
    expect(mesh.rejections).toEqual([]);
  });

  it("the gateway limits sessions by a policy that stands in none of its configuration", async () => {
    const { token } = await api.issue();
    const answers: HttpAnswer[] = [];
    while (answers.length < 6) answers.push(await ask(token));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
    expect(answers[5]?.body).toBe(LIMITED);
    expect((await send(proxy, { token: "A".repeat(48) })).status).toBe(401);
  });

  it("the gateway reports what sessions spent", async () => {
    const { id, token } = await api.issue();
    for (let i = 0; i < 3; i++) expect((await ask(token)).status).toBe(200);
    await until(async () => {
      expect((await api.session(id)).tokens.consumed).toBe(3);
    });
    expect((await api.usage(id)).edges.map(({ edge }) => edge)).toEqual([GATEWAY]);
  });

  it("the gateway shows its metrics with labels, by the annotation of both examples", async () => {
    const { data } = example("gateway-api-env.yaml") as { readonly data: { readonly deployment: string } };
    expect(tagsOf(parse(data.deployment) as Deployment)).toBe(extraStatTags);
    await until(async () => {
      const samples = await envoyAdmin.samples();
      expect(samples.get('sluice_requests_total{outcome="limited",plan="default",limit="default"}')).toBe(1);
      expect(samples.get('sluice_calls_total{outcome="timeout",call="report"}')).toBe(0);
      expect([...samples.keys()].filter((name) => !/^sluice(_[a-z]+)+(\{|$)/.test(name))).toEqual([]);
    });
  });

  it("the gateway follows a policy change with nothing new from the mesh", async () => {
    const { token } = await api.issue();
    expect((await ask(token)).headers["ratelimit-policy"]).toBe('"default";q=5');
    writePolicy(folder, policyWith(8));
    await until(async () => {
      expect((await ask(token)).headers["ratelimit-policy"]).toBe('"default";q=8');
    });
    await isCurrent();
  });

  it("the gateway denies a session that was revoked", async () => {
    const { id, token } = await api.issue();
    expect((await ask(token)).status).toBe(200);
    await api.revoke(id);
    await until(async () => {
      expect((await ask(token)).status).toBe(401);
    });
  });
});
