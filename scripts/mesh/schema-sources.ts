// Which kinds are recorded, and where their schemas come from. All of them are under the Apache License 2.0.

export interface SchemaSource {
  /** In test/schemas. */
  readonly file: string;
  readonly license: string;
  /** Of the built-in ones with the version: `Deployment apps/v1`. Of the others every served version. */
  readonly kinds: readonly string[];
}

export interface ModuleSource extends SchemaSource {
  /** Of Go, with its version. */
  readonly module: string;
  /** Files in the module that hold the CustomResourceDefinitions. */
  readonly definitions: readonly string[];
}

const license = "Apache-2.0";
const GATEWAY_API = "config/crd/standard/gateway.networking.k8s.io_";
const ENVOY_GATEWAY = "charts/gateway-crds-helm/templates/generated/gateway.envoyproxy.io_";
const PROMETHEUS = "example/prometheus-operator-crd/monitoring.coreos.com_";

export const KUBERNETES_FILE = "kubernetes.json";

export const SCHEMA_SOURCES: readonly (SchemaSource | ModuleSource)[] = [
  {
    file: KUBERNETES_FILE,
    license,
    kinds: [
      ...["ConfigMap", "Namespace", "PersistentVolumeClaim", "Pod", "Secret", "Service", "ServiceAccount"].map(
        (kind) => `${kind} v1`,
      ),
      "Deployment apps/v1",
      "StatefulSet apps/v1",
      "HorizontalPodAutoscaler autoscaling/v2",
      "CronJob batch/v1",
      "Job batch/v1",
      "Ingress networking.k8s.io/v1",
      "NetworkPolicy networking.k8s.io/v1",
      "PodDisruptionBudget policy/v1",
      "Role rbac.authorization.k8s.io/v1",
      "RoleBinding rbac.authorization.k8s.io/v1",
    ],
  },
  {
    file: "istio.json",
    license,
    module: "istio.io/istio@v0.0.0-20260827124520-eed52ebb66ad",
    definitions: ["manifests/charts/base/files/crd-all.gen.yaml"],
    kinds: ["EnvoyFilter", "ServiceEntry", "Sidecar", "TrafficExtension", "VirtualService", "WasmPlugin"],
  },
  {
    file: "gateway-api.json",
    license,
    module: "sigs.k8s.io/gateway-api@v1.6.3",
    definitions: ["gatewayclasses", "gateways", "httproutes", "referencegrants"].map(
      (name) => `${GATEWAY_API}${name}.yaml`,
    ),
    kinds: ["Gateway", "GatewayClass", "HTTPRoute", "ReferenceGrant"],
  },
  {
    file: "envoy-gateway.json",
    license,
    module: "github.com/envoyproxy/gateway@v1.9.1",
    definitions: [
      "backends",
      "backendtrafficpolicies",
      "clienttrafficpolicies",
      "envoyextensionpolicies",
      "envoypatchpolicies",
      "envoyproxies",
    ].map((name) => `${ENVOY_GATEWAY}${name}.yaml`),
    kinds: [
      "Backend",
      "BackendTrafficPolicy",
      "ClientTrafficPolicy",
      "EnvoyExtensionPolicy",
      "EnvoyPatchPolicy",
      "EnvoyProxy",
    ],
  },
  {
    file: "prometheus-operator.json",
    license,
    module: "github.com/prometheus-operator/prometheus-operator@v0.85.0",
    definitions: ["podmonitors", "prometheusrules", "servicemonitors"].map((name) => `${PROMETHEUS}${name}.yaml`),
    kinds: ["PodMonitor", "PrometheusRule", "ServiceMonitor"],
  },
];
