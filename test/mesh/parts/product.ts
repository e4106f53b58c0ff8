// What of this project runs in a mesh beside the filter, as pods would, and what it is in front of: the control plane on the
// port that its Service names, and a service of somebody's.
import { once } from "node:events";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { controlPlanePlan } from "../../../scripts/start/control-plane-process.js";
import { waitForStatus } from "../../../scripts/start/readiness.js";
import { ControlPlaneClient } from "../../e2e/harness/control-plane-client.js";
import { Part } from "../../e2e/harness/part.js";
import { policyOf } from "../../e2e/harness/policy.js";
import type { Site } from "../../fleet/parts/site.js";
import { POD_ADDRESS, SERVICE_ADDRESS } from "../site.js";
import type { Cluster } from "./cluster.js";

/** Of the Service, in the files that an operator applies. */
export const SERVICE_PORT = 8080;
/** Its own default is that of Envoy Gateway's probes. */
const STATUS_PORT = 8091;
/** Of the service that is limited. */
export const SHOP_PORT = 9090;
export const SHOP = { name: "shop", namespace: "shop" };
export const SHOP_BODY = "from the shop\n";

export interface Product {
  readonly api: ControlPlaneClient;
  readonly part: Part;
  /** Publishes a policy with this many tokens for each session, which come back never. */
  readonly setMaxTokens: (maxTokens: number) => void;
}

export async function startProduct(
  { folder, secret, adminToken, ends }: Site,
  name: string,
  httpPort: number,
): Promise<Product> {
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  const policyFile = join(own, "policy.yaml");
  const setMaxTokens = (maxTokens: number): void => {
    const rest = { controlPlane: { reportInterval: 300 } };
    writeFileSync(
      `${policyFile}.new`,
      JSON.stringify(policyOf([{ name: "default", maxTokens, tokenRefillRate: 0 }], rest)),
    );
    renameSync(`${policyFile}.new`, policyFile);
  };
  setMaxTokens(5);
  const plan = controlPlanePlan({
    ...{ secret, httpPort, statusPort: STATUS_PORT, dataDir: join(own, "data"), policyFile },
    logFile: join(own, "control-plane.log"),
    env: { SLUICE_ADMIN_TOKEN: adminToken, SLUICE_HTTP_HOST: "0.0.0.0" },
  });
  const part = new Part(plan, (signal) =>
    waitForStatus(`http://127.0.0.1:${STATUS_PORT}/readyz`, 200, { timeoutMs: 60_000, signal }),
  );
  await ends.add(() => part.stop());
  await part.start();
  return { api: new ControlPlaneClient({ http: httpPort, status: STATUS_PORT }, adminToken), part, setMaxTokens };
}

/** A service that answers everything. */
export async function startShop({ ends }: Site): Promise<void> {
  const server = createServer((_request, response) => response.end(SHOP_BODY));
  server.listen(SHOP_PORT, POD_ADDRESS);
  await once(server, "listening");
  await ends.add(() => {
    server.close();
    server.closeAllConnections();
  });
}

/** The shop's Service and what the endpoint controller would make of it. */
export async function applyShop(cluster: Cluster, namespace: string): Promise<void> {
  const { name } = SHOP;
  const ports = [{ name: "http", port: 80, targetPort: SHOP_PORT }];
  await cluster.apply({ apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { ports } });
  await cluster.apply(endpointsOf(name, namespace, SHOP_PORT));
}

/** The Service that the control plane's manifests have, and its endpoint. */
export async function applyControlPlane(cluster: Cluster, port: number): Promise<void> {
  const ports = [{ name: "http", port, targetPort: "http" }];
  const metadata = { name: "sluice", namespace: "sluice" };
  await cluster.apply({ apiVersion: "v1", kind: "Service", metadata, spec: { clusterIP: SERVICE_ADDRESS, ports } });
  await cluster.apply(endpointsOf("sluice", "sluice", port));
}

/** Of a Service whose one port is named http. */
const endpointsOf = (name: string, namespace: string, port: number): object => ({
  ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4" },
  metadata: { name: `${name}-1`, namespace, labels: { "kubernetes.io/service-name": name } },
  endpoints: [{ addresses: [POD_ADDRESS], conditions: { ready: true } }],
  ports: [{ name: "http", port }],
});
