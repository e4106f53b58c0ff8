// The versions of everything that `npm run verify:mesh` builds: the one place to change for a newer one.

export const KUBERNETES = "v1.34.4";
export const ISTIO = "v0.0.0-20260827124520-eed52ebb66ad";
export const ENVOY_GATEWAY = "v1.9.1";
export const HELM = "v3.22.0";
export const GATEWAY_API = "v1.6.3";
export const PROMETHEUS_OPERATOR = "v0.85.0";

/** Modules of Go of which only files are read: definitions of resources, charts, templates. */
export const MODULES = {
  istio: `istio.io/istio@${ISTIO}`,
  gatewayApi: `sigs.k8s.io/gateway-api@${GATEWAY_API}`,
  envoyGateway: `github.com/envoyproxy/gateway@${ENVOY_GATEWAY}`,
  prometheusOperator: `github.com/prometheus-operator/prometheus-operator@${PROMETHEUS_OPERATOR}`,
} as const;

export type ModuleName = keyof typeof MODULES;
