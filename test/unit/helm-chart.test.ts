// What Helm made of the chart, as recorded: each document is what Kubernetes takes, and the pods are what the control plane takes.
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { CHART, chartHash, COPIES, staleCopies } from "../../scripts/chart/chart-files.js";
import { goldenHash, goldenOf } from "../../scripts/chart/golden.js";
import { readSettings } from "../../control-plane/src/settings/settings.js";
import {
  type Container,
  goldenManifests,
  type Manifest,
  NAMES,
  podIn,
  type PodTemplate,
  theOne,
  workloadIn,
} from "../helm/chart.js";
import { violationsOf } from "../schemas/violations.js";
import { textOf } from "./docs.js";

const SELECTOR = ["app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"];

it("the chart has the version of the package", () => {
  const { version } = JSON.parse(textOf("package.json")) as { version: string };
  expect(parse(textOf(`${CHART}/Chart.yaml`))).toMatchObject({ version, appVersion: version });
});

it("what the chart hands out is what stands in the project: npm run chart -- --write", () => {
  expect(Object.keys(COPIES)).toContain(`${CHART}/files/rules.yaml`);
  expect(staleCopies()).toEqual([]);
});

it("the recorded renderings are of this chart and these values: npm run chart -- --write", () => {
  expect(NAMES.length).toBeGreaterThan(12);
  expect(goldenHash()).toBe(chartHash());
});

/** Of a container: what its environment would be, with secrets in the form that they have. */
function environmentOf({ env = [], envFrom = [] }: Container): Record<string, string> {
  const ofSecret = { SLUICE_SECRET: "ab".repeat(32), SLUICE_ADMIN_TOKEN: "an-admin-token-of-the-test" };
  const own = Object.fromEntries(env.map(({ name, value = "" }) => [name, value]));
  return { ...(envFrom.length > 0 ? ofSecret : {}), ...own };
}

/** As the control plane reads it: files named by variables hold `redis://store`, or a login. */
function violationsOfSettings(env: Record<string, string>): readonly string[] {
  const read = { ...env };
  for (const [name, value] of [
    ["SLUICE_STORE", "rediss+sentinel://store/primary"],
    ["SLUICE_STORE_SENTINEL", "user:password"],
  ] as const) {
    if (read[`${name}_FILE`] === undefined) continue;
    Reflect.deleteProperty(read, `${name}_FILE`);
    read[name] = value;
  }
  const settings = readSettings(read);
  return "violations" in settings ? settings.violations.map(String) : [];
}

/** Paths that the control plane is told, and that lie in no volume of the pod. */
function pathsWithoutVolume({ env = [], volumeMounts = [] }: Container): string[] {
  const paths = env.flatMap(({ name, value = "" }) =>
    /_FILE$|_DIR$|_POLICY$/.test(name) && value !== "" ? [value] : [],
  );
  return paths.filter((path) => !volumeMounts.some(({ mountPath }) => `${path}/`.startsWith(`${mountPath}/`)));
}

/** Where the values leave them to the cluster there are none. */
function usersOf(name: string): object {
  if (name === "openshift") return {};
  return name === "subchart"
    ? { runAsUser: 1_000_680_000, runAsGroup: 1000, fsGroup: 1_000_680_000 }
    : { runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 };
}

const volumesOf = ({ spec }: PodTemplate, { spec: workload }: Manifest): string[] => [
  ...(spec.volumes ?? []).map(({ name }) => name),
  ...(workload.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name),
];

describe.each(NAMES)("the chart with the values %s", (name) => {
  const manifests = goldenManifests(name);
  const jobs = manifests.flatMap(({ kind, spec }) => (kind === "Job" && spec.template ? [spec.template] : []));
  const pods = [podIn(manifests), ...jobs];

  it("each document of the chart is valid by the schema of its kind, with no unknown field", () => {
    expect(manifests.flatMap(violationsOf)).toEqual([]);
  });

  it("the chart's names are unique, and each object says in which namespace it stands", () => {
    const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""} ${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(manifests.filter(({ metadata }) => metadata.namespace === undefined)).toEqual([]);
  });

  it("the chart's pods run without root, rights, a writable disk of their own or an API token", () => {
    for (const { spec } of pods) {
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, ...usersOf(name) },
      });
      expect(spec.securityContext).toMatchObject({ seccompProfile: { type: "RuntimeDefault" } });
      for (const container of spec.containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        expect(container.resources).toHaveProperty("requests.memory");
      }
    }
  });

  it("the chart's pods give the control plane settings that it takes, and files that are mounted", () => {
    const [container] = podIn(manifests).spec.containers;
    if (container === undefined) throw new Error("the pod has no container");
    expect(violationsOfSettings(environmentOf(container))).toEqual([]);
    for (const { spec } of pods) expect(spec.containers.flatMap(pathsWithoutVolume)).toEqual([]);
  });

  it("the chart's mounts are volumes of the pod, and each volume is mounted", () => {
    for (const pod of pods) {
      const mounted = pod.spec.containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map((mount) => mount.name));
      const owner = pod === pods[0] ? workloadIn(manifests) : theOne("Job", manifests);
      expect(mounted.sort()).toEqual(volumesOf(pod, owner).sort());
    }
  });

  it("the chart's Services, budget and rules of the network select its pods and no others", () => {
    const { labels } = podIn(manifests).metadata;
    const selectors = manifests.flatMap(({ kind, spec }) => {
      if (kind === "Service") return [spec.selector];
      if (kind === "NetworkPolicy") return [(spec.podSelector as { matchLabels: object }).matchLabels];
      return /^(Deployment|StatefulSet|PodDisruptionBudget|ServiceMonitor)$/.test(kind)
        ? [(spec.selector as { matchLabels: object }).matchLabels]
        : [];
    });
    const expected = Object.fromEntries(SELECTOR.map((label) => [label, labels[label]]));
    for (const selector of selectors) expect(selector).toEqual(expected);
    for (const { metadata } of jobs) expect(metadata.labels).not.toMatchObject(expected);
  });
});

describe("the chart's switches", () => {
  const spread = (name: string): object => podIn(goldenManifests(name)).spec;

  it("a folder has one control plane and no budget; a shared store has several, spread, with one", () => {
    const [folder, shared] = [goldenManifests("default"), goldenManifests("shared")];
    expect(workloadIn(folder)).toMatchObject({ kind: "StatefulSet", spec: { replicas: 1 } });
    expect(workloadIn(shared)).toMatchObject({ kind: "Deployment", spec: { replicas: 2 } });
    expect(theOne("PodDisruptionBudget", shared).spec).toMatchObject({ maxUnavailable: 1 });
    expect(folder.filter(({ kind }) => kind === "PodDisruptionBudget")).toEqual([]);
    expect(spread("shared")).toHaveProperty("topologySpreadConstraints");
    expect(spread("shared")).toHaveProperty("affinity.podAntiAffinity");
    expect(spread("default")).not.toHaveProperty("topologySpreadConstraints");
  });

  it("another policy or list of issuers changes no pod, so that none is started anew", () => {
    const withIssuers = podIn(goldenManifests("policy-inline"));
    const ownPolicy = (name: string): object => {
      const { spec } = podIn(goldenManifests(name));
      return (spec.volumes ?? []).find((volume) => volume.name === "policy") ?? {};
    };
    expect(withIssuers.metadata.annotations).toBeUndefined();
    expect(ownPolicy("policy-inline")).toEqual(ownPolicy("default"));
    expect(goldenOf("policy-inline")?.documents).toContain("tokenRefillRate: 0.5");
  });

  it("another generated secret starts the pods anew, and none is made without being asked for", () => {
    expect(podIn(goldenManifests("secret-generated")).metadata.annotations).toHaveProperty("checksum/secret");
    const without = NAMES.filter((name) => name !== "secret-generated").flatMap(goldenManifests);
    expect(without.filter(({ kind }) => kind === "Secret")).toEqual([]);
  });

  it("the generated Secret outlives the release, and no rollback brings an older one", () => {
    expect(theOne("Secret", goldenManifests("secret-generated")).metadata.annotations).toEqual({
      "helm.sh/hook": "pre-install,pre-upgrade",
      "helm.sh/hook-weight": "-10",
      "helm.sh/resource-policy": "keep",
      "meta.helm.sh/release-name": "sluice",
      "meta.helm.sh/release-namespace": "sluice",
    });
  });

  it("the Job that makes a store runs when Helm installs, and not when Argo CD synchronises", () => {
    expect(theOne("Job", goldenManifests("shared-sentinel")).metadata.annotations).toMatchObject({
      "helm.sh/hook": "pre-install",
      "argocd.argoproj.io/hook": "Skip",
    });
  });

  it("pods take calls while the API listens, and a folder's pod that cannot start is replaced", () => {
    for (const name of ["default", "shared"]) {
      const [container] = podIn(goldenManifests(name)).spec.containers;
      expect(container).toMatchObject({
        startupProbe: { httpGet: { path: "/healthz", port: "status" } },
        readinessProbe: { tcpSocket: { port: "http" } },
        livenessProbe: { httpGet: { path: "/healthz", port: "status" } },
      });
    }
    expect(workloadIn(goldenManifests("default")).spec).toMatchObject({ podManagementPolicy: "Parallel" });
  });

  it("a cluster that chooses users and groups is told none, and its DNS is reached at its port", () => {
    const manifests = goldenManifests("openshift");
    for (const pod of [podIn(manifests), theOne("Job", manifests).spec.template]) {
      expect(pod?.spec.securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    }
    const [names] = theOne("NetworkPolicy", manifests).spec.egress as { ports: { port: number }[] }[];
    expect(names?.ports.map(({ port }) => port)).toEqual([53, 53, 5353, 5353]);
  });

  it("a first step brings the proxies their environment, and no filter", () => {
    const kinds = (name: string) => goldenManifests(name).map(({ kind }) => kind);
    const filters = ["WasmPlugin", "EnvoyExtensionPolicy", "EnvoyPatchPolicy"];
    const [istio, gateway] = [kinds("istio-environment"), kinds("envoy-gateway-environment")];
    expect([...istio, ...gateway].filter((kind) => filters.includes(kind))).toEqual([]);
    expect(theOne("ConfigMap", goldenManifests("istio-environment"), "sluice-gateway").data?.deployment).toContain(
      "name: SLUICE_SECRET\n",
    );
    expect(gateway).toEqual(expect.arrayContaining(["EnvoyProxy", "HTTPRoute", "BackendTrafficPolicy"]));
    expect(kinds("envoy-gateway-pinned")).toEqual(expect.arrayContaining(filters.slice(1)));
  });

  it("an installation with a filter ends with what proxies without the secret do, first", () => {
    for (const name of ["istio", "envoy-gateway"]) {
      expect(goldenOf(name)?.notes).toMatch(/^WARNING: .+\n.*answer every request with 500\./s);
    }
    expect(goldenOf("istio-environment")?.notes).toContain("dataPlane.environmentOnly=false");
    expect(goldenOf("default")?.notes).toMatch(/give the proxies SLUICE_SECRET, .+ only\nthen helm upgrade/);
  });

  it("the starter policy, the alerts and the dashboard are the project's own", () => {
    const { data } = theOne("ConfigMap", goldenManifests("default"), "sluice-policy");
    expect(parse(data?.["policy.yaml"] ?? "")).toEqual(parse(textOf("policy.yaml")));
    const monitoring = goldenManifests("monitoring");
    const copied = (file: string): unknown => parse(textOf(COPIES[`${CHART}/files/${file}`] ?? ""));
    expect(theOne("PrometheusRule", monitoring, "sluice").spec).toEqual(copied("rules.yaml"));
    expect(theOne("PrometheusRule", monitoring, "sluice-mesh").spec).toEqual(copied("mesh-rules.yaml"));
    const dashboard = theOne("ConfigMap", monitoring, "sluice-dashboard");
    expect(dashboard.metadata.labels).toMatchObject({ grafana_dashboard: "1" });
    expect(JSON.parse(dashboard.data?.["sluice.json"] ?? "")).toEqual(copied("dashboard.json"));
  });

  it("the job of what Prometheus scrapes is the release, and not the name of a Service", () => {
    const made = goldenManifests("monitoring");
    const { jobLabel } = theOne("ServiceMonitor", made).spec as { jobLabel?: string };
    const { labels } = theOne("Service", made, "sluice-status").metadata as { labels: Record<string, string> };
    expect(labels[jobLabel ?? ""]).toBe("sluice");
  });

  it("the filter calls the Service by the name and the port that the values give it", () => {
    const plugin = (name: string): object => theOne("WasmPlugin", goldenManifests(name));
    expect(plugin("names")).toMatchObject({
      spec: { pluginConfig: { controlPlane: { cluster: "outbound|80||limits.sluice.svc.cluster.local" } } },
    });
    expect(plugin("istio-pinned")).toMatchObject({
      metadata: { name: "limits", namespace: "edge" },
      spec: { sha256: "fedcba9876543210".repeat(4), pluginConfig: { follow: false, policy: { version: 1 } } },
    });
    const route = theOne("HTTPRoute", goldenManifests("envoy-gateway-pinned"));
    expect(route.spec).toMatchObject({
      rules: [{ backendRefs: [{ name: "sluice", namespace: "sluice", port: 9000 }] }],
    });
  });
});
