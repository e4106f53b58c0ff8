// A gateway of the Gateway API: what istiod makes of gateway-api-env.yaml in the Deployment that it writes itself.
import { manifestsOf } from "../manifests.js";
import { runCommand } from "../../../scripts/run-command.js";
import { join } from "node:path";
import type { Checks } from "../checks.js";
import { equal, eventually } from "../eventually.js";
import type { Cluster } from "../parts/cluster.js";
import { MESH_NAMESPACE } from "../parts/istio.js";
import type { MeshSite } from "../site.js";
import { exampleText } from "./istio-examples.js";

const STEP = "Istio, Gateway API";

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
      readonly spec: { readonly containers: readonly Container[] };
    };
  };
}

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly valueFrom?: unknown }[];
}

/** The templates of pods, from Istio's own chart: without them istiod writes no Deployment. */
export async function injectorOf({ kit, folder }: MeshSite): Promise<object> {
  const chart = join(kit.modules.istio, "manifests/charts/istio-control/istio-discovery");
  const args = ["template", "istiod", chart, "--namespace", MESH_NAMESPACE];
  const { code, stdout, output } = await runCommand(kit.tools.helm.binary, args, {
    env: { PATH: process.env.PATH, HOME: folder },
  });
  if (code !== 0) throw new Error(`helm: ${output.trim()}`);
  const templates = manifestsOf(stdout).find(({ metadata }) => metadata.name === "istio-sidecar-injector");
  if (templates === undefined) throw new Error("Istio's chart has no templates of pods");
  return templates;
}

export async function gatewayApi(cluster: Cluster, checks: Checks): Promise<void> {
  const settings = manifestsOf(exampleText("gateway-api-env.yaml")).find(({ kind }) => kind === "ConfigMap");
  await checks.check(
    STEP,
    "istiod gives a gateway of the Gateway API the secret and the annotation of the example",
    async () => {
      if (settings === undefined) throw new Error("gateway-api-env.yaml has no ConfigMap");
      await cluster.apply(settings);
      const parametersRef = { group: "", kind: "ConfigMap", name: settings.metadata.name };
      await cluster.apply({
        ...{ apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway" },
        metadata: { name: "edge", namespace: settings.metadata.namespace },
        spec: {
          ...{ gatewayClassName: "istio", infrastructure: { parametersRef } },
          listeners: [{ name: "http", port: 80, protocol: "HTTP" }],
        },
      });
      const namespace = settings.metadata.namespace ?? MESH_NAMESPACE;
      const { spec } = await eventually(() => cluster.get<Deployment>("deployment", "edge-istio", "-n", namespace));
      const proxy = spec.template.spec.containers.find(({ name }) => name === "istio-proxy");
      const secret = proxy?.env?.find(({ name }) => name === "SLUICE_SECRET");
      equal(secret?.valueFrom, { secretKeyRef: { key: "SLUICE_SECRET", name: "sluice" } }, "SLUICE_SECRET");
      const { annotations } = spec.template.metadata;
      equal(annotations?.["sidecar.istio.io/extraStatTags"], "outcome,plan,limit,call", "the annotation");
    },
  );
}
