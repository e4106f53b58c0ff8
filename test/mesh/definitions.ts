// The definitions of all resources that are not Kubernetes' own, from the modules that define them.
import { join } from "node:path";
import type { Cluster } from "./parts/cluster.js";
import type { Kit } from "./site.js";

/** In the order in which they are applied. */
const definitionsIn = ({ istio, gatewayApi, envoyGateway, prometheusOperator }: Kit["modules"]): string[] => [
  join(istio, "manifests/charts/base/files/crd-all.gen.yaml"),
  join(gatewayApi, "config/crd/experimental"),
  join(envoyGateway, "charts/gateway-helm/charts/crds/crds/generated"),
  join(prometheusOperator, "example/prometheus-operator-crd"),
];

export async function applyDefinitions(cluster: Cluster, { modules }: Kit): Promise<void> {
  for (const path of definitionsIn(modules)) {
    const isFolder = !path.endsWith(".yaml");
    const files = isFolder && path.includes("gateway-api@") ? ["-k", path] : ["-f", path];
    await cluster.kubectl("apply", "--server-side", ...files);
  }
  await cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "customresourcedefinitions", "--all");
}
