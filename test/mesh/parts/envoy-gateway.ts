// Envoy Gateway in front of the API server, and the Envoy of one of its gateways: no controller starts the pods of the
// Deployment that Envoy Gateway writes, so its Envoy is started by hand, with the arguments that stand there.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../../scripts/run-command.js";
import { waitForStatus } from "../../../scripts/start/readiness.js";
import { Part } from "../../e2e/harness/part.js";
import { eventually } from "../eventually.js";
import type { MeshSite } from "../site.js";
import type { Cluster } from "./cluster.js";

export const GATEWAY_NAMESPACE = "envoy-gateway-system";
export const CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller";
/** Of the gateway's Envoy; Envoy Gateway's own is moved away from it. */
export const ENVOY_ADMIN_PORT = 19000;
const READY_PORT = 19003;
const PROBES_PORT = 8081;

const CONFIG = {
  ...{ apiVersion: "gateway.envoyproxy.io/v1alpha1", kind: "EnvoyGateway" },
  gateway: { controllerName: CONTROLLER },
  provider: { type: "Kubernetes", kubernetes: { proxyTopologyInjector: { disabled: true } } },
  extensionApis: { enableBackend: true, enableEnvoyPatchPolicy: true },
  admin: { address: { host: "127.0.0.1", port: 19100 } },
};

type Data = { readonly data: Readonly<Record<string, string>> };

/** Each file of a Secret, in a folder. */
async function writeSecret(cluster: Cluster, name: string, folder: string): Promise<void> {
  const { data } = await cluster.get<Data>("secret", name, "-n", GATEWAY_NAMESPACE);
  mkdirSync(folder, { recursive: true });
  for (const [file, value] of Object.entries(data))
    writeFileSync(join(folder, file), Buffer.from(value, "base64"), { mode: 0o600 });
}

/** @returns when it runs; what it thinks of a gateway stands in that gateway's status */
export async function startEnvoyGateway(site: MeshSite, cluster: Cluster): Promise<Part> {
  const own = join(site.folder, "envoy-gateway");
  mkdirSync(own, { recursive: true });
  const { binary } = site.kit.tools["envoy-gateway"];
  const env = {
    ...{ PATH: process.env.PATH, HOME: own, KUBECONFIG: cluster.kubeconfig },
    ENVOY_GATEWAY_NAMESPACE: GATEWAY_NAMESPACE,
  };
  const certificates = await runCommand(binary, ["certgen", "--disable-topology-injector"], { env });
  if (certificates.code !== 0) throw new Error(`envoy-gateway certgen: ${certificates.output.trim()}`);
  await writeSecret(cluster, "envoy-gateway", join(site.folder, "certs"));
  await writeSecret(cluster, "envoy", join(site.folder, "envoy-certs"));
  const configFile = join(own, "config.yaml");
  writeFileSync(configFile, JSON.stringify(CONFIG));
  const plan = { name: "envoy-gateway", command: binary, args: ["server", "--config-path", configFile], env };
  const part = new Part({ ...plan, logFile: join(own, "log") }, (signal) =>
    waitForStatus(`http://127.0.0.1:${PROBES_PORT}/readyz`, 200, { timeoutMs: 90_000, signal }),
  );
  await site.ends.add(() => part.stop());
  await part.start();
  return part;
}

export interface Deployment {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
}

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
}

interface List<Item> {
  readonly items: readonly Item[];
}

/** What Envoy Gateway wrote for a gateway. */
export async function deploymentOf(cluster: Cluster, gateway: string): Promise<Deployment> {
  const label = `gateway.envoyproxy.io/owning-gateway-name=${gateway}`;
  return eventually(async () => {
    const { items } = await cluster.get<List<Deployment>>("deployments", "--all-namespaces", "-l", label);
    const [deployment] = items;
    if (deployment === undefined) throw new Error(`there is no Deployment of the gateway ${gateway}`);
    return deployment;
  });
}

export const envoyContainer = ({ spec }: Deployment): Container => {
  const found = spec.template.spec.containers.find(({ name }) => name === "envoy");
  if (found === undefined) throw new Error("the Deployment has no container envoy");
  return found;
};

/** @param secret what the Secret that the container's environment names has in a cluster */
export async function gatewayEnvoy(
  site: MeshSite,
  cluster: Cluster,
  deployment: Deployment,
  secret: Readonly<Record<string, string>>,
): Promise<Part> {
  const pod = `${deployment.metadata.name}-0`;
  const own = join(site.folder, pod);
  const place = (text: string): string =>
    text
      .replaceAll("$(ENVOY_POD_NAME)", pod)
      // Envoy Gateway itself has that port, in another pod.
      .replaceAll("port_value: 19001", "port_value: 19011")
      .replaceAll("/certs/", `${join(site.folder, "envoy-certs")}/`)
      .replaceAll("/sds/", `${join(own, "sds")}/`);
  mkdirSync(join(own, "sds"), { recursive: true });
  const { name, namespace } = deployment.metadata;
  const { data } = await cluster.get<Data>("configmap", name, "-n", namespace);
  for (const [file, text] of Object.entries(data)) writeFileSync(join(own, "sds", file), place(text));
  const container = envoyContainer(deployment);
  const values = (container.env ?? []).flatMap(({ name: key, value }) => (value === undefined ? [] : [[key, value]]));
  const env = { PATH: process.env.PATH, ...(Object.fromEntries(values) as Record<string, string>), ...secret };
  const args = [...(container.args ?? []).map(place), "--disable-hot-restart", "--concurrency", "2"];
  const plan = { name: `the Envoy of ${name}`, command: site.kit.envoy.binary, args, env, cwd: own };
  const part = new Part({ ...plan, logFile: join(own, "log") }, (signal) =>
    waitForStatus(`http://127.0.0.1:${READY_PORT}/ready`, 200, { timeoutMs: 90_000, signal }),
  );
  await site.ends.add(() => part.stop());
  return part;
}
