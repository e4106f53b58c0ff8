// A gateway of Istio with the WasmPlugin of envoy/istio: a real istiod makes its configuration, a real agent fetches the
// filter by digest from a real registry, and a stock Envoy runs it.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { CODE_MISSING_SESSION } from "../../../assembly/contract.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { type Wanted, waitForAnswer } from "../../../scripts/start/readiness.js";
import { EnvoyAdmin } from "../../e2e/harness/envoy-admin.js";
import { send } from "../../e2e/harness/http1.js";
import type { Part } from "../../e2e/harness/part.js";
import type { Checks } from "../checks.js";
import { equal, eventually, includes } from "../eventually.js";
import type { Cluster } from "../parts/cluster.js";
import {
  ADMIN_PORT,
  agentMetrics,
  agentPart,
  MESH_NAMESPACE,
  type Proxy,
  rejects,
  startIstiod,
} from "../parts/istio.js";
import {
  applyControlPlane,
  applyShop,
  SERVICE_PORT,
  SHOP,
  SHOP_BODY,
  startProduct,
  startShop,
} from "../parts/product.js";
import { pushFilter, startRegistry } from "../parts/registry.js";
import { recordIstio } from "../recording.js";
import type { MeshSite } from "../site.js";
import { makeNamespace } from "./admission.js";
import { gatewayApi, injectorOf } from "./istio-gateway-api.js";
import { LABELS, pluginWith, podAnnotations } from "./istio-examples.js";
import { limits } from "./limits.js";

const STEP = "Istio";
const IMAGE = "sluice-filter:0.1.0";
const GATEWAY_PORT = 8000;
const READY_MS = 120_000;
const SERVES: Wanted = { status: 401, text: CODE_MISSING_SESSION };

const proxyWith = (env: Readonly<Record<string, string>>): Proxy => ({
  ...{ name: "istio-ingressgateway-0", namespace: MESH_NAMESPACE, kind: "router", labels: LABELS },
  ...{ annotations: podAnnotations(), env },
});

async function applyMesh(cluster: Cluster): Promise<void> {
  const networking = "networking.istio.io/v1";
  const port = { number: GATEWAY_PORT, name: "http", protocol: "HTTP" };
  await cluster.apply({
    ...{ apiVersion: networking, kind: "Gateway", metadata: { name: "gateway", namespace: MESH_NAMESPACE } },
    spec: { selector: LABELS, servers: [{ port, hosts: ["*"] }] },
  });
  const host = `${SHOP.name}.${SHOP.namespace}.svc.cluster.local`;
  const route = [{ destination: { host, port: { number: 80 } } }];
  await cluster.apply({
    ...{ apiVersion: networking, kind: "VirtualService", metadata: { name: "shop", namespace: MESH_NAMESPACE } },
    spec: { hosts: ["*"], gateways: ["gateway"], http: [{ route }] },
  });
}

export async function istio(site: MeshSite, cluster: Cluster, checks: Checks, write: boolean): Promise<void> {
  appendFileSync(site.hostsFile, `127.0.0.1 istiod.${MESH_NAMESPACE}.svc\n`);
  for (const name of [MESH_NAMESPACE, "sluice", SHOP.namespace]) await makeNamespace(cluster, name);
  await startShop(site);
  await startRegistry(site);
  const product = await startProduct(site, "istio-control-plane", SERVICE_PORT);
  await applyShop(cluster, SHOP.namespace);
  await applyControlPlane(cluster, SERVICE_PORT);
  await applyMesh(cluster);
  await cluster.apply(await injectorOf(site));
  await startIstiod(site, cluster);
  const digest = await pushFilter(site.folder, join(projectRoot, "build/sluice.wasm"), IMAGE);
  await cluster.apply(pluginWith(IMAGE, digest));

  const gateway = await gatewayPart(site, cluster, { SLUICE_SECRET: site.secret }, SERVES);
  const serves = await checks.check(
    STEP,
    "the gateway's agent fetches the filter by digest, and Envoy serves with it",
    () => gateway.start(),
  );
  if (!serves) return;
  await limits(checks, product, STEP, GATEWAY_PORT);
  await figures(checks);
  await checks.check(STEP, "the gateway has rejected nothing that istiod made of the WasmPlugin", async () => {
    equal(await rejects("ecds"), 0, "rejects");
    recordIstio(await new EnvoyAdmin(ADMIN_PORT).text("/config_dump"), site.kit, write);
  });
  await takenOff(cluster, checks);
  await missingImage(cluster, checks, digest);
  await gateway.stop();
  await missingSecret(site, cluster, checks);
  await gatewayApi(cluster, checks);
}

async function gatewayPart(
  site: MeshSite,
  cluster: Cluster,
  env: Readonly<Record<string, string>>,
  wanted: Wanted,
): Promise<Part> {
  const part = await agentPart(site, cluster, proxyWith(env), (signal) =>
    waitForAnswer(`http://127.0.0.1:${GATEWAY_PORT}/`, wanted, { timeoutMs: READY_MS, signal }),
  );
  await site.ends.add(() => part.stop());
  return part;
}

const isAnswered = (status: number, of: string): Promise<void> =>
  eventually(async () => {
    equal((await send(GATEWAY_PORT)).status, status, of);
  });

async function figures(checks: Checks): Promise<void> {
  await checks.check(
    STEP,
    "by the annotation of the examples the filter's metrics have labels, and Istio keeps them",
    () =>
      eventually(async () => {
        const samples = await new EnvoyAdmin(ADMIN_PORT).samples();
        const limited = samples.get('sluice_requests_total{outcome="limited",plan="default",limit="default"}');
        equal((limited ?? 0) > 0, true, "some requests that were limited");
      }),
  );
}

async function takenOff(cluster: Cluster, checks: Checks): Promise<void> {
  await checks.check(STEP, "without the WasmPlugin everything passes, on the gateway that runs", async () => {
    await cluster.kubectl("delete", "wasmplugin", "sluice", "-n", MESH_NAMESPACE);
    await eventually(async () => {
      const { status, body } = await send(GATEWAY_PORT);
      equal([status, body], [200, SHOP_BODY], "an answer without a token");
    });
  });
}

async function missingImage(cluster: Cluster, checks: Checks, digest: string): Promise<void> {
  await checks.check(
    STEP,
    "a missing image is 403 for everything; the agent counts it, and istiod does not",
    async () => {
      const before = await rejects("ecds");
      await cluster.apply(pluginWith("sluice-filter:none"));
      await isAnswered(403, "an answer");
      await eventually(async () => {
        includes(
          await agentMetrics(),
          /^istio_agent_wasm_config_conversion_count\{result="fetch_failure"\} [1-9]/m,
          "the agent",
        );
      });
      equal(await rejects("ecds"), before, "pilot_total_xds_rejects{type=ecds}");
    },
  );
  await checks.check(STEP, "a wrong digest is 403 for everything", async () => {
    await cluster.kubectl("delete", "wasmplugin", "sluice", "-n", MESH_NAMESPACE);
    await isAnswered(200, "an answer without the plugin");
    await cluster.apply(pluginWith(IMAGE, "0".repeat(64)));
    await isAnswered(403, "an answer");
  });
  await checks.check(STEP, "once the image is there the gateway serves, with nothing restarted", async () => {
    await cluster.apply(pluginWith(IMAGE, digest));
    await isAnswered(401, "an answer without a token");
  });
}

async function missingSecret(site: MeshSite, cluster: Cluster, checks: Checks): Promise<void> {
  await checks.check(
    STEP,
    "without SLUICE_SECRET at the start it is 500 for everything, and istiod counts it",
    async () => {
      const before = await rejects("ecds");
      const gateway = await gatewayPart(site, cluster, {}, { status: 500 });
      await gateway.start();
      await eventually(async () => {
        equal((await rejects("ecds")) > before, true, "pilot_total_xds_rejects{type=ecds} has grown");
      });
      await gateway.stop();
    },
  );
}
