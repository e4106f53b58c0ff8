// What the API server says of everything that an operator applies: each resource as by `kubectl apply --server-side
// --dry-run=server --validate=strict`, and each pod that a controller would make of it, in a namespace that enforces the
// `restricted` level of Pod Security.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../scripts/project-root.js";
import { runCommand } from "../../../scripts/run-command.js";
import type { Checks } from "../checks.js";
import { equal, includes } from "../eventually.js";
import { documentOf, type Manifest, manifestsOf, podsOf, resourcesOfFile, yamlFiles } from "../manifests.js";
import type { Cluster } from "../parts/cluster.js";

const STEP = "API server";
const IMAGE = ["--image", "registry.example/sluice-filter:0.1.0"];
const CONTROL_PLANE_IMAGE = ["--image", "registry.example/sluice:0.1.0"];

/** What there is to be applied, and how an operator comes by it. */
interface Source {
  readonly name: string;
  /** Undefined: there is none of it. */
  readonly resources: () => Promise<readonly Manifest[] | undefined>;
}

const FOLDERS = ["envoy/istio", "envoy/gateway", "envoy/prometheus"];

const ofFolder = (folder: string): Source => ({
  name: `every resource in ${folder}`,
  resources: () => {
    const found = yamlFiles(join(projectRoot, folder)).flatMap(resourcesOfFile);
    return Promise.resolve(found.length === 0 ? undefined : found);
  },
});

const kustomized = (cluster: Cluster, folder: string): Source => ({
  name: `kubectl kustomize ${folder}`,
  resources: async () => {
    if (!existsSync(join(projectRoot, folder, "kustomization.yaml"))) return undefined;
    return manifestsOf(await cluster.kubectl("kustomize", join(projectRoot, folder)));
  },
});

const rendered = (...args: readonly string[]): Source => ({
  name: `./sluice render ${args.filter((arg) => ![...IMAGE, ...CONTROL_PLANE_IMAGE].includes(arg)).join(" ")}`,
  resources: async () => {
    const run = await runCommand(join(projectRoot, "sluice"), ["render", ...args], { env: process.env });
    if (/there is no (option|command)|is no command/i.test(run.stderr)) return undefined;
    if (run.code !== 0) throw new Error(run.output.trim());
    return manifestsOf(run.stdout);
  },
});

const sources = (cluster: Cluster): readonly Source[] => [
  ...FOLDERS.map(ofFolder),
  ...["", "/base", "/folder", "/shared"].map((folder) => kustomized(cluster, `envoy/kubernetes${folder}`)),
  rendered("wasmplugin", ...IMAGE),
  ...["injected", "gateway-api"].map((gateway) => rendered("istio", "--gateway", gateway, ...IMAGE)),
  rendered("istio", "--sidecar", "app=shop", "--namespace", "shop", ...IMAGE),
  rendered("gateway", ...IMAGE),
  ...["folder", "shared"].map((store) => rendered("kubernetes", "--store", store, ...CONTROL_PLANE_IMAGE)),
];

/** Where resources are that name no namespace. */
const NAMESPACE = "sluice";

export async function admission(cluster: Cluster, checks: Checks): Promise<void> {
  await makeNamespace(cluster, NAMESPACE);
  await negativeControls(cluster, checks);
  for (const source of sources(cluster)) await accepted(cluster, checks, source);
}

async function accepted(cluster: Cluster, checks: Checks, { name, resources }: Source): Promise<void> {
  let found: readonly Manifest[] | undefined;
  let broken: Error | undefined;
  try {
    found = await resources();
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error));
  }
  if (broken === undefined && found === undefined) {
    // Of the forms of a kustomization's folder only those are named that are there.
    if (!name.startsWith("kubectl kustomize")) checks.notRun(STEP, `${name} is accepted`, "there is none of it here");
    return;
  }
  await checks.check(STEP, `${name} is accepted`, async () => {
    if (broken !== undefined) throw broken;
    await acceptedWhole(cluster, found ?? []);
  });
  const pods = podsOf(found ?? [], NAMESPACE);
  if (pods.length === 0 || !pods.some(({ spec }) => "serviceAccountName" in (spec as object))) return;
  await checks.check(STEP, `the pods of ${name} pass the restricted level`, async () => {
    const accounts = (found ?? []).filter(({ kind }) => kind === "ServiceAccount");
    for (const account of accounts) await cluster.apply(account, "-n", NAMESPACE);
    try {
      await acceptedWhole(cluster, pods);
    } finally {
      for (const account of accounts) await cluster.kubectl("delete", "-n", NAMESPACE, "-f", cluster.fileOf(account));
    }
  });
}

/** With no error, and no warning either: the level's warnings come for workloads, which it does not refuse. */
export async function acceptedWhole(cluster: Cluster, resources: readonly Manifest[]): Promise<void> {
  equal(resources.length > 0, true, "there is a resource");
  const namespaces = new Set(resources.flatMap(({ metadata }) => metadata.namespace ?? []));
  for (const name of namespaces) await makeNamespace(cluster, name);
  for (const part of resources.filter(isPart)) await makeWhole(cluster, part);
  const [placed, others] = [resources.filter(isPlaced), resources.filter((one) => !isPlaced(one))];
  const runs = [
    ...(placed.length > 0 ? [await cluster.tryOut(documents(placed))] : []),
    ...(others.length > 0 ? [await cluster.tryOut(documents(others), "-n", NAMESPACE)] : []),
  ];
  for (const { code, output } of runs) if (code !== 0 || output.includes("Warning:")) throw new Error(faultsIn(output));
}

/** A Deployment that is to be merged into one that an operator has. */
const isPart = ({ kind, spec }: Manifest): boolean => kind === "Deployment" && !("selector" in (spec as object));

/** What that operator has: its pods get their proxy when they are made. */
async function makeWhole(cluster: Cluster, { apiVersion, kind, metadata }: Manifest): Promise<void> {
  const labels = { app: metadata.name };
  const securityContext = {
    ...{ runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    seccompProfile: { type: "RuntimeDefault" },
  };
  const spec = { containers: [{ name: "istio-proxy", image: "auto", securityContext }] };
  const whole = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } };
  const { name, namespace } = metadata;
  await cluster.apply({ apiVersion, kind, metadata: { name, namespace }, spec: whole }, "--field-manager=operator");
}

const isPlaced = ({ kind, metadata }: Manifest): boolean => kind === "Namespace" || metadata.namespace !== undefined;

/** One call of kubectl for all of them. */
const documents = (resources: readonly Manifest[]): string => resources.map(documentOf).join("");

const faultsIn = (output: string): string =>
  output
    .split("\n")
    .filter((line) => line !== "" && !line.endsWith("(server dry run)"))
    .join("; ");

const LEVEL = "restricted";
const made = new Set<string>();

/** Enforces the level, unless it is one of the mesh itself, whose pods are the mesh's affair. */
export async function makeNamespace(cluster: Cluster, name: string): Promise<void> {
  if (made.has(name)) return;
  made.add(name);
  const own = !/^(istio|envoy-gateway)/.test(name);
  const labels = Object.fromEntries(["enforce", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, LEVEL]));
  const metadata = { name, ...(own && { labels }) };
  await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata });
  // A controller makes it elsewhere.
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: name } };
  await cluster.apply(account);
}

/** A server that lets everything pass would prove nothing. */
async function negativeControls(cluster: Cluster, checks: Checks): Promise<void> {
  const metadata = { name: "careless", namespace: NAMESPACE };
  const labels = { app: "careless" };
  const spec = { containers: [{ name: "one", image: "registry.example/one:1" }] };
  const careless = {
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
  await checks.check(STEP, "a Deployment with a misspelt field is refused", async () => {
    const { code, output } = await cluster.tryOut({ ...careless, spec: { ...careless.spec, replicaz: 1 } });
    equal(code === 0, false, "it was accepted");
    includes(output, "replicaz", "the refusal");
  });
  await checks.check(STEP, "a WasmPlugin with a misspelt field is refused", async () => {
    const wasm = { apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata };
    const { code, output } = await cluster.tryOut({ ...wasm, spec: { url: "oci://one", faze: "STATS" } });
    equal(code === 0, false, "it was accepted");
    includes(output, "faze", "the refusal");
  });
  await checks.check(STEP, "a Deployment whose pods are not restricted is warned of, and its pod refused", async () => {
    const { code, output } = await cluster.tryOut(careless);
    equal(code, 0, "kubectl's exit code");
    includes(output, "would violate PodSecurity", "the warning");
    const pod = await cluster.tryOut({ apiVersion: "v1", kind: "Pod", metadata, spec });
    equal(pod.code === 0, false, "the pod was accepted");
    includes(pod.output, "violates PodSecurity", "the refusal");
  });
}
