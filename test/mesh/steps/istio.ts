// A gateway of Istio with the WasmPlugin of envoy/istio: a real istiod makes its configuration, a real agent fetches the
// filter by digest from a real registry, and a stock Envoy runs it.
import { readFileSync } from "node:fs";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CODE_MISSING_SESSION } from "../../../assembly/contract.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { waitForAnswer, waitForStatus } from "../../../scripts/start/readiness.js";
import type { HttpAnswer } from "../../e2e/harness/http1.js";
import { send } from "../../e2e/harness/http1.js";
import type { Part } from "../../e2e/harness/part.js";
import type { Checks } from "../checks.js";
import { equal, eventually } from "../eventually.js";
import type { Cluster } from "../parts/cluster.js";
import { ADMIN_PORT, agentPart, MESH_NAMESPACE, type Proxy, rejects, startIstiod } from "../parts/istio.js";
import { applyShop, endpointsOf, HTTP_PORT, type Product, SHOP, startProduct, startShop } from "../parts/product.js";
import { pushFilter, REGISTRY, startRegistry } from "../parts/registry.js";
import type { MeshSite } from "../site.js";
import { makeNamespace } from "./admission.js";

const STEP = "Istio";
export const GATEWAY_PORT = 8000;
const LABELS = { istio: "ingressgateway" };

interface WasmPlugin {
  readonly spec: Readonly<Record<string, unknown>>;
}

const example = (file: string): unknown => parse(readFileSync(join(projectRoot, "envoy/istio", file), "utf8"));

/** The example with another image, and nothing else. */
function pluginWith(image: string, digest: string): object {
  const plugin = example("wasmplugin.yaml") as WasmPlugin;
  return {
    ...plugin,
    spec: { ...plugin.spec, url: `oci://${REGISTRY}/${image}`, sha256: digest.replace("sha256:", "") },
  };
}

/** What injected-env.yaml puts on the gateway's pods. */
function annotations(): Readonly<Record<string, string>> {
  const patch = example("injected-env.yaml") as {
    readonly spec: { readonly template: { readonly metadata: { readonly annotations: Record<string, string> } } };
  };
  return patch.spec.template.metadata.annotations;
}

const gatewayProxy = (env: Readonly<Record<string, string>>): Proxy => ({
  ...{ name: "istio-ingressgateway-0", namespace: MESH_NAMESPACE, kind: "router", labels: LABELS },
  ...{ annotations: annotations(), env },
});

async function applyMesh(cluster: Cluster): Promise<void> {
  const networking = "networking.istio.io/v1";
  const port = { number: GATEWAY_PORT, name: "http", protocol: "HTTP" };
  await cluster.apply({
    ...{ apiVersion: networking, kind: "Gateway", metadata: { name: "gateway", namespace: MESH_NAMESPACE } },
    spec: { selector: LABELS, servers: [{ port, hosts: ["*"] }] },
  });
  const host = `${SHOP.name}.${SHOP.namespace}.svc.cluster.local`;
  await cluster.apply({
    ...{ apiVersion: networking, kind: "VirtualService", metadata: { name: "shop", namespace: MESH_NAMESPACE } },
    spec: {
      ...{ hosts: ["*"], gateways: ["gateway"] },
      http: [{ route: [{ destination: { host, port: { number: 80 } } }]} ],
    },
  });
}

/** The Service that the control plane's manifests have, and its endpoint. */
async function applyControlPlane(cluster: Cluster): Promise<void> {
  const ports = [{ name: "http", port: HTTP_PORT, targetPort: "http" }];
  const metadata = { name: "sluice", namespace: "sluice" };
  await cluster.apply({ apiVersion: "v1", kind: "Service", metadata, spec: { ports } });
  await cluster.apply(endpointsOf("sluice", "sluice", HTTP_PORT));
}

export async function istio(site: MeshSite, cluster: Cluster, checks: Checks): Promise<void> {
  appendFileSync(site.hostsFile, `127.0.0.1 istiod.${MESH_NAMESPACE}.svc\n`);
  for (const name of [MESH_NAMESPACE, "sluice", SHOP.namespace]) await makeNamespace(cluster, name);
  await startShop(site);
  await startRegistry(site);
  const product = await startProduct(site, "istio-control-plane");
  await applyShop(cluster);
  await applyControlPlane(cluster);
  await applyMesh(cluster);
  await startIstiod(site, cluster);
  const digest = await pushFilter(site.folder, join(projectRoot, "build/sluice.wasm"), "sluice-filter", "0.1.0");
  await cluster.apply(pluginWith("sluice-filter:0.1.0", digest));

  const gateway = await agentPart(site, cluster, gatewayProxy({ SLUICE_SECRET: site.secret }), (signal) =>
    waitForAnswer(
      `http://127.0.0.1:${GATEWAY_PORT}/`,
      { status: 401, text: CODE_MISSING_SESSION },
      { timeoutMs: 120_000, signal },
    ),
  );
  await site.ends.add(() => gateway.stop());
  const serves = await checks.check(STEP, "the gateway fetches the filter by digest and serves with it", () =>
    gateway.start(),
  );
  if (!serves) return;
  await limits(checks, product, STEP, GATEWAY_PORT);
}

const ask = (port: number, token: string): Promise<HttpAnswer> => send(port, { token });

/** What the filter is for, in whatever mesh. */
export async function limits(
  checks: Checks,
  { api, setMaxTokens }: Product,
  step: string,
  port: number,
): Promise<void> {
  await checks.check(
    step,
    "a session is limited by a policy that stands in none of the mesh's configuration",
    async () => {
      const { token } = await api.issue();
      const statuses: number[] = [];
      while (statuses.length < 6) statuses.push((await ask(port, token)).status);
      equal(statuses, [200, 200, 200, 200, 200, 429], "answers");
      equal((await send(port, { token: "A".repeat(48) })).status, 401, "an answer to a forged token");
    },
  );
  await checks.check(step, "what sessions spend is reported", async () => {
    const { id, token } = await api.issue();
    for (let i = 0; i < 3; i++) equal((await ask(port, token)).status, 200, "an answer");
    await eventually(async () => {
      equal((await api.session(id)).tokens.consumed, 3, "tokens consumed");
    });
  });
  await checks.check(step, "a change of the policy arrives with nothing new from the mesh", async () => {
    const { token } = await api.issue();
    setMaxTokens(8);
    await eventually(async () => {
      equal((await ask(port, token)).headers["ratelimit-policy"], '"default";q=8', "ratelimit-policy");
    });
    setMaxTokens(5);
    await eventually(async () => {
      equal((await ask(port, token)).headers["ratelimit-policy"], '"default";q=5', "ratelimit-policy");
    });
  });
  await checks.check(step, "a revoked session is denied", async () => {
    const { id, token } = await api.issue();
    equal((await ask(port, token)).status, 200, "an answer");
    await api.revoke(id);
    await eventually(async () => {
      equal((await ask(port, token)).status, 401, "an answer");
    });
  });
}
void ADMIN_PORT;
void rejects;
void waitForStatus;
export type { Part };
