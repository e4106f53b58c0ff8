// The Helm chart in front of the real API server: over its table of values as a server's dry run, and installed, upgraded and
// uninstalled for its secrets. No pod is started.
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { projectRoot } from "../../../scripts/project-root.js";
import { type Run, runCommand } from "../../../scripts/run-command.js";
import type { Checks } from "../checks.js";
import { equal, includes } from "../eventually.js";
import { type Manifest, manifestsOf, podsOf, yamlFiles } from "../manifests.js";
import type { Cluster } from "../parts/cluster.js";
import type { MeshSite } from "../site.js";
import { acceptedWhole, makeNamespace } from "./admission.js";

const STEP = "Helm chart";
const NAMESPACE = "charted";
const CHART = join(projectRoot, "deploy/helm/sluice");
const VALUES = join(projectRoot, "test/helm/values");

type Helm = (...args: readonly string[]) => Promise<Run>;

const helmOf =
  ({ kit, folder }: MeshSite, { kubeconfig }: Cluster): Helm =>
  (...args) =>
    runCommand(kit.tools.helm.binary, [...args, "--namespace", NAMESPACE], {
      env: { PATH: process.env.PATH, HOME: folder, KUBECONFIG: kubeconfig },
    });

export async function chart(site: MeshSite, cluster: Cluster, checks: Checks): Promise<void> {
  if (!existsSync(CHART)) {
    checks.notRun(STEP, "the chart is accepted, installed and upgraded", "there is no chart here");
    return;
  }
  await makeNamespace(cluster, NAMESPACE);
  const helm = helmOf(site, cluster);
  // By itself a Helm that Go built takes Kubernetes 1.20 for the one that is rendered for.
  const kubernetes = ["--kube-version", site.kit.tools["kube-apiserver"].version];
  for (const file of yamlFiles(VALUES)) {
    await acceptedWith(file, (...args) => helm(...args, ...kubernetes), cluster, checks);
  }
  await negativeControl(helm, checks);
  await installed(helm, cluster, checks);
}

async function acceptedWith(file: string, helm: Helm, cluster: Cluster, checks: Checks): Promise<void> {
  await checks.check(STEP, `with the values ${basename(file, ".yaml")} every resource is accepted`, async () => {
    const { code, stdout, output } = await helm("template", "sluice", CHART, "--values", file);
    if (code !== 0) throw new Error(output.trim());
    const manifests = manifestsOf(stdout);
    await acceptedWhole(cluster, manifests);
    const accounts = manifests.filter(({ kind }) => kind === "ServiceAccount");
    for (const account of accounts) await cluster.apply(account, "-n", NAMESPACE);
    // Pods in namespaces of the mesh are not ours.
    const pods = podsOf(manifests, NAMESPACE);
    for (const pod of pods) await makePriority(cluster, pod);
    if (pods.length > 0) await acceptedWhole(cluster, pods);
    for (const account of accounts) await cluster.kubectl("delete", "-n", NAMESPACE, "-f", cluster.fileOf(account));
  });
}

/** The operator's, where the values name one. */
async function makePriority(cluster: Cluster, { spec }: Manifest): Promise<void> {
  const { priorityClassName: name } = spec as { readonly priorityClassName?: string };
  if (name === undefined || name === "") return;
  await cluster.apply({ apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name }, value: 1000 });
}

async function negativeControl(helm: Helm, checks: Checks): Promise<void> {
  await checks.check(STEP, "a value that there is not is refused by Helm", async () => {
    const { code, output } = await helm("template", "sluice", CHART, "--set", "replica=2");
    equal(code === 0, false, "it was accepted");
    includes(output, "replica", "the refusal");
  });
}

const GENERATED = ["--set", "secrets.generate=true"];

async function secretsOf(cluster: Cluster): Promise<Readonly<Record<string, string>>> {
  const secret = await cluster.get<{ readonly data: Readonly<Record<string, string>> }>(
    "secret",
    "sluice",
    "-n",
    NAMESPACE,
  );
  return secret.data;
}

const succeeds = async (run: Promise<Run>): Promise<string> => {
  const { code, output } = await run;
  if (code !== 0) throw new Error(`helm: ${output.trim()}`);
  return output;
};

async function installed(helm: Helm, cluster: Cluster, checks: Checks): Promise<void> {
  let made: Readonly<Record<string, string>> = {};
  await checks.check(STEP, "helm install makes the secrets where it is told to", async () => {
    await succeeds(helm("install", "sluice", CHART, ...GENERATED));
    made = await secretsOf(cluster);
    equal(Object.keys(made).sort(), ["SLUICE_ADMIN_TOKEN", "SLUICE_SECRET"], "keys");
    equal(Buffer.from(made["SLUICE_SECRET"] ?? "", "base64").length >= 32, true, "a secret of 32 bytes or more");
  });
  await checks.check(STEP, "helm upgrade keeps the secrets", async () => {
    const changed = ["--set", "logLevel=debug"];
    await succeeds(helm("upgrade", "sluice", CHART, ...GENERATED, ...changed));
    equal(await secretsOf(cluster), made, "the secrets after it");
  });
  await checks.check(
    STEP,
    "helm uninstall leaves the secrets and takes everything else of the control plane",
    async () => {
      await succeeds(helm("uninstall", "sluice"));
      equal(await secretsOf(cluster), made, "the secrets after it");
      const left = await cluster.kubectl("get", "statefulsets,deployments,services", "-n", NAMESPACE, "-o", "name");
      equal(left.includes("/sluice"), false, `what is left: ${left}`);
    },
  );
  await checks.check(STEP, "an installation after that finds the same secrets", async () => {
    await succeeds(helm("install", "sluice", CHART, ...GENERATED));
    equal(await secretsOf(cluster), made, "the secrets after it");
    await succeeds(helm("uninstall", "sluice"));
  });
}
