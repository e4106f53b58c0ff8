// istiod in front of the API server, and the agent of a proxy with a stock Envoy, as they run in their pods: the agent proves
// who it is with a token of its service account, and istiod signs its certificate.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitForStatus } from "../../../scripts/start/readiness.js";
import { Part } from "../../e2e/harness/part.js";
import { eventually } from "../eventually.js";
import { type MeshSite, POD_ADDRESS } from "../site.js";
import type { Cluster } from "./cluster.js";

export const MESH_NAMESPACE = "istio-system";
const MONITORING = 15014;
const READY_PORT = 15080;
const READY = { timeoutMs: 90_000 };
/** Of an agent's Envoy. */
export const ADMIN_PORT = 15000;

/**
 * A stock Envoy has none of the filters that Istio's own build adds: metrics, metadata exchange and its form of ALPN are
 * left out.
 */
const WITHOUT_OWN_FILTERS = { PILOT_ENABLE_METADATA_EXCHANGE: "false", PILOT_ENABLE_ALPN_FILTER: "false" };

export async function startIstiod(site: MeshSite, cluster: Cluster): Promise<Part> {
  const own = join(site.folder, "istiod");
  mkdirSync(own, { recursive: true });
  const meshConfig = join(own, "mesh.yaml");
  writeFileSync(meshConfig, JSON.stringify({ rootNamespace: MESH_NAMESPACE, enablePrometheusMerge: false }));
  const args = [
    ...["discovery", "--kubeconfig", cluster.kubeconfig, "--meshConfig", meshConfig, "--namespace", MESH_NAMESPACE],
    // Its default is the port of our control plane.
    ...["--httpAddr", `127.0.0.1:${READY_PORT}`, "--monitoringAddr", `127.0.0.1:${MONITORING}`, "--ctrlz_port", "0"],
  ];
  const env = {
    ...{ PATH: process.env.PATH, HOME: own, POD_NAME: "istiod-0", POD_NAMESPACE: MESH_NAMESPACE },
    ...WITHOUT_OWN_FILTERS,
  };
  const plan = { name: "istiod", command: site.kit.tools["pilot-discovery"].binary, args, env, cwd: own };
  const part = new Part({ ...plan, logFile: join(own, "log") }, (signal) =>
    waitForStatus(`http://127.0.0.1:${READY_PORT}/ready`, 200, { ...READY, signal }),
  );
  await site.ends.add(() => part.stop());
  await part.start();
  return part;
}

/** How often proxies rejected what istiod sent them. @param type of resource: `ecds` */
export async function rejects(type: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${MONITORING}/metrics`)).text();
  const line = new RegExp(`^pilot_total_xds_rejects\\{[^}]*type="${type}"[^}]*\\} (\\d+)$`, "m").exec(text);
  return Number(line?.[1] ?? 0);
}

/** What Prometheus scrapes from a pod with a proxy: of its agent too. */
export const agentMetrics = async (): Promise<string> =>
  (await fetch("http://127.0.0.1:15020/stats/prometheus")).text();

/** A pod with a proxy. */
export interface Proxy {
  readonly name: string;
  readonly namespace: string;
  readonly kind: "router" | "sidecar";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** What its container has in its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** The root of the mesh, as istiod puts it into each namespace. */
const ROOT = "istio-ca-root-cert";
const AUDIENCE = "istio-ca";

/** Writes what a pod has mounted. @returns the folder in which the agent is to run */
async function mounted({ folder }: MeshSite, cluster: Cluster, proxy: Proxy): Promise<string> {
  const { name, namespace, labels, annotations } = proxy;
  const own = join(folder, name);
  const write = (file: string, text: string): void => {
    mkdirSync(join(own, file, ".."), { recursive: true });
    writeFileSync(join(own, file), text, { mode: 0o600 });
  };
  const root = await eventually(() =>
    cluster.get<{ readonly data: Readonly<Record<string, string>> }>("configmap", ROOT, "-n", namespace),
  );
  write("var/run/secrets/istio/root-cert.pem", root.data["root-cert.pem"] ?? "");
  const token = await cluster.kubectl("create", "token", "default", "-n", namespace, "--audience", AUDIENCE);
  write("var/run/secrets/tokens/istio-token", token.trim());
  write("etc/istio/pod/labels", fields(labels));
  write("etc/istio/pod/annotations", fields(annotations));
  return own;
}

/** As a pod sees them. */
const fields = (of: Readonly<Record<string, string>>): string =>
  Object.entries(of)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}\n`)
    .join("");

/** @param ready resolves when the proxy is what it is to be; its signal is aborted when it has ended */
export async function agentPart(
  site: MeshSite,
  cluster: Cluster,
  proxy: Proxy,
  ready: (ended: AbortSignal) => Promise<void>,
): Promise<Part> {
  const own = await mounted(site, cluster, proxy);
  const { tools, modules, envoy } = site.kit;
  const config = {
    ...{ discoveryAddress: `istiod.${MESH_NAMESPACE}.svc:15012`, binaryPath: envoy.binary, concurrency: 2 },
    terminationDrainDuration: "1s",
  };
  const env = {
    ...{ PATH: process.env.PATH, HOME: own, PROXY_CONFIG: JSON.stringify(config) },
    ...{ POD_NAME: proxy.name, POD_NAMESPACE: proxy.namespace, INSTANCE_IP: POD_ADDRESS, SERVICE_ACCOUNT: "default" },
    ...{ ISTIO_META_CLUSTER_ID: "Kubernetes", TRUST_DOMAIN: "cluster.local" },
    ...proxy.env,
  };
  const template = join(modules.istio, "tools/packaging/common/envoy_bootstrap.json");
  const args = [
    ...["proxy", proxy.kind, "--domain", `${proxy.namespace}.svc.cluster.local`],
    ...["--templateFile", template, "--proxyLogLevel", "warning,wasm:info"],
  ];
  const plan = { name: `pilot-agent of ${proxy.name}`, command: tools["pilot-agent"].binary, args, env, cwd: own };
  return new Part({ ...plan, logFile: join(own, "log") }, ready);
}
