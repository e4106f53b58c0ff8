// A gateway of Envoy Gateway with the files of envoy/gateway: a real Envoy Gateway translates them, fetches the filter from a
// real registry and hands it on, and a stock Envoy runs it.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { CODE_MISSING_SESSION } from "../../../assembly/contract.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { waitForAnswer } from "../../../scripts/start/readiness.js";
import { EnvoyAdmin } from "../../e2e/harness/envoy-admin.js";
import { send } from "../../e2e/harness/http1.js";
import type { Checks } from "../checks.js";
import { equal, eventually } from "../eventually.js";
import { type Manifest, resourcesOfFile, yamlFiles } from "../manifests.js";
import type { Cluster } from "../parts/cluster.js";
import {
  CONTROLLER,
  deploymentOf,
  ENVOY_ADMIN_PORT,
  envoyContainer,
  GATEWAY_NAMESPACE,
  gatewayEnvoy,
  startEnvoyGateway,
} from "../parts/envoy-gateway.js";
import {
  applyControlPlane,
  applyShop,
  SERVICE_PORT,
  SHOP,
  SHOP_BODY,
  startProduct,
  startShop,
} from "../parts/product.js";
import { pushFilter, REGISTRY, startRegistry } from "../parts/registry.js";
import { recordGateway } from "../recording.js";
import type { MeshSite } from "../site.js";
import { makeNamespace } from "./admission.js";
import { limits } from "./limits.js";

const STEP = "Envoy Gateway";
const IMAGE = "sluice-filter:0.1.0";
const PROXY_PORT = 8000;
const CLASS = "envoy-gateway";

interface Target {
  readonly name: string;
  readonly namespace: string;
}

/** On this one machine Envoy Gateway itself takes port 8080, for metrics: the Service `sluice` has another one here. */
const HTTP_PORT = 18080;

const placed = (json: string): string =>
  json.replaceAll("registry.example", REGISTRY).replaceAll(`"port":${SERVICE_PORT}`, `"port":${HTTP_PORT}`);

/** The files with the image and the Service where they are here. */
function ourManifests(): Manifest[] {
  return yamlFiles(join(projectRoot, "envoy/gateway"))
    .flatMap(resourcesOfFile)
    .map((one) => JSON.parse(placed(JSON.stringify(one))) as Manifest);
}

const ofKind = (manifests: readonly Manifest[], kind: string): Manifest => {
  const found = manifests.find((one) => one.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
};

/** The gateway that the policy selects. */
function targetOf(manifests: readonly Manifest[]): Target {
  const { metadata, spec } = ofKind(manifests, "EnvoyExtensionPolicy");
  const { targetRefs } = spec as { readonly targetRefs: readonly { readonly name: string }[] };
  return { name: targetRefs[0]?.name ?? "", namespace: metadata.namespace ?? "" };
}

/** What an operator has already, as far as the files do not hold it: a class, a gateway, and a route to a service. */
async function applyAround(
  cluster: Cluster,
  manifests: readonly Manifest[],
  { name, namespace }: Target,
): Promise<void> {
  const api = "gateway.networking.k8s.io/v1";
  const proxy = ofKind(manifests, "EnvoyProxy").metadata;
  const parameters = { group: "gateway.envoyproxy.io", kind: "EnvoyProxy", name: proxy.name };
  if (!manifests.some(({ kind }) => kind === "GatewayClass")) {
    const spec = { controllerName: CONTROLLER };
    await cluster.apply({ apiVersion: api, kind: "GatewayClass", metadata: { name: CLASS }, spec });
  }
  if (!manifests.some(({ kind }) => kind === "Gateway")) {
    await cluster.apply({
      ...{ apiVersion: api, kind: "Gateway", metadata: { name, namespace } },
      spec: {
        ...{ gatewayClassName: CLASS, infrastructure: { parametersRef: parameters } },
        listeners: [
          { name: "http", port: PROXY_PORT, protocol: "HTTP", allowedRoutes: { namespaces: { from: "All" } } },
        ],
      },
    });
  }
  await applyShop(cluster, namespace);
  await cluster.apply({
    ...{ apiVersion: api, kind: "HTTPRoute", metadata: { name: SHOP.name, namespace } },
    spec: { parentRefs: [{ name }], rules: [{ backendRefs: [{ name: SHOP.name, port: 80 }] }] },
  });
}

export async function envoyGateway(site: MeshSite, cluster: Cluster, checks: Checks, write: boolean): Promise<void> {
  const host = `envoy-gateway.${GATEWAY_NAMESPACE}.svc.cluster.local`;
  appendFileSync(site.hostsFile, `127.0.0.1 ${host} ${host}.\n`);
  const manifests = ourManifests();
  const target = targetOf(manifests);
  const namespaces = manifests.flatMap(({ metadata }) => metadata.namespace ?? []);
  for (const name of new Set([GATEWAY_NAMESPACE, "sluice", ...namespaces])) await makeNamespace(cluster, name);
  await startShop(site);
  await startRegistry(site);
  const product = await startProduct(site, "gateway-control-plane", HTTP_PORT);
  await pushFilter(site.folder, join(projectRoot, "build/sluice.wasm"), IMAGE);
  await applyControlPlane(cluster, HTTP_PORT);
  await startEnvoyGateway(site, cluster);
  await applyAround(cluster, manifests, target);
  for (const one of manifests) await cluster.apply(one);

  await checks.check(STEP, "Envoy Gateway accepts the policy", () => eventually(() => accepted(cluster, target)));
  const deployment = await deploymentOf(cluster, target.name);
  await checks.check(STEP, "the gateway's Deployment has the secret in Envoy's environment", () => {
    const secret = envoyContainer(deployment).env?.find(({ name }) => name === "SLUICE_SECRET");
    equal(secret?.valueFrom, { secretKeyRef: { key: "SLUICE_SECRET", name: "sluice" } }, "SLUICE_SECRET");
  });
  const envoy = await gatewayEnvoy(site, cluster, deployment, { SLUICE_SECRET: site.secret });
  const serves = await checks.check(
    STEP,
    "the gateway's Envoy gets the filter from Envoy Gateway, and serves with it",
    async () => {
      await envoy.start();
      const wanted = { status: 401, text: CODE_MISSING_SESSION };
      await waitForAnswer(`http://127.0.0.1:${PROXY_PORT}/`, wanted, { timeoutMs: 90_000 });
    },
  );
  if (!serves) throw new Error(envoy.logTail);
  await limits(checks, product, STEP, PROXY_PORT);
  await checks.check(STEP, "what Envoy Gateway made of the policy is as it was recorded", async () => {
    recordGateway(await new EnvoyAdmin(ENVOY_ADMIN_PORT).text("/config_dump"), site.kit, write);
  });
  await checks.check(STEP, "without the policy everything passes, on the gateway that runs", async () => {
    await cluster.kubectl("delete", "envoyextensionpolicies", "--all", "-n", target.namespace);
    await eventually(async () => {
      const { status, body } = await send(PROXY_PORT);
      equal([status, body], [200, SHOP_BODY], "an answer without a token");
    });
  });
}

interface Policy {
  readonly status?: {
    readonly ancestors: readonly {
      readonly conditions: readonly { readonly type: string; readonly status: string; readonly message: string }[];
    }[];
  };
}

async function accepted(cluster: Cluster, { namespace }: Target): Promise<void> {
  const { items } = await cluster.get<{ readonly items: readonly Policy[] }>("envoyextensionpolicies", "-n", namespace);
  const conditions = items.flatMap(({ status }) => status?.ancestors ?? []).flatMap((one) => one.conditions);
  equal(conditions.find(({ type }) => type === "Accepted")?.status, "True", `accepted: ${JSON.stringify(conditions)}`);
}
