// What a proxy of Istio needs to have the filter: the WasmPlugin, and the secret in the proxy's environment.
import { stringify } from "yaml";
import { proxyEnvironment, SERVICE_PORT, serviceHost } from "../kubernetes/names.js";
import { inOrder, type Part } from "./parts.js";
import { wasmPlugin, type WasmPlugin } from "./wasm-plugin.js";

/** How the proxy comes into being: by Istio's injector at a gateway or a service, or with a Gateway of the Gateway API. */
export type ProxyKind = "injected" | "gateway-api" | "sidecar";

export interface IstioInstallation extends Omit<WasmPlugin, "inboundOnly"> {
  readonly kind: ProxyKind;
  /** The Deployment whose pods have the proxy; of the Gateway API: the Gateway. In the plugin's namespace. */
  readonly workload: string;
  /** Where the control plane is: given, a ServiceEntry shows it to proxies from which Istio hides the Service. */
  readonly shownFrom?: string | undefined;
}

const PROXY = "istio-proxy";
/** Labels of the filter's metrics, as Istio's proxies make them of names. */
const EXTRA_TAGS = { "sidecar.istio.io/extraStatTags": "outcome,plan,limit,call" };

/** Manifests, the filter last. @param only one part of them */
export function istioInstallation(installation: IstioInstallation, only?: Part): object[] {
  const { kind, workload, shownFrom, ...plugin } = installation;
  const { namespace } = plugin;
  const secret = kind === "gateway-api" ? gatewayConfigMap : proxyDeployment;
  const environment = [
    secret(workload, namespace, kind),
    ...(shownFrom === undefined ? [] : [serviceEntry(namespace, shownFrom)]),
  ];
  return inOrder({ environment, filter: [wasmPlugin({ ...plugin, inboundOnly: kind === "sidecar" })] }, only);
}

/** What a pod's template says of the proxy. */
function podTemplate(kind: ProxyKind): object {
  return {
    metadata: { annotations: EXTRA_TAGS },
    spec: {
      containers: [
        // A service's own template has no such container yet, and none without an image: the injector sets it.
        { name: PROXY, ...(kind === "sidecar" ? { image: "auto" } : {}), env: proxyEnvironment() },
      ],
    },
  };
}

/** A part of a Deployment that is there: to be merged into it, not to be applied alone. */
const proxyDeployment = (name: string, namespace: string, kind: ProxyKind): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace },
  spec: { template: podTemplate(kind) },
});

/** Named by the Gateway's `spec.infrastructure.parametersRef`: Istio merges it into the Deployment that it makes. */
const gatewayConfigMap = (_: string, namespace: string, kind: ProxyKind): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "sluice-gateway", namespace },
  data: {
    deployment: stringify({ spec: { template: podTemplate(kind) } }, { lineWidth: 0, aliasDuplicateObjects: false }),
  },
});

/** Makes the same cluster as the Service, in proxies of this namespace. */
const serviceEntry = (namespace: string, controlPlane: string): object => ({
  apiVersion: "networking.istio.io/v1",
  kind: "ServiceEntry",
  metadata: { name: "sluice", namespace },
  spec: {
    hosts: [serviceHost(controlPlane)],
    exportTo: ["."],
    location: "MESH_INTERNAL",
    ports: [{ number: SERVICE_PORT, name: "http", protocol: "HTTP" }],
    resolution: "DNS",
  },
});
