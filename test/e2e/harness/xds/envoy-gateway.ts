// Envoy Gateway's translation of an EnvoyExtensionPolicy, as recorded from a real Envoy Gateway 1.9.1: the filter's name, its
// VM, the code from afar, disabled in the chain and enabled by each route. Only the server of the code differs: Envoy
// Gateway's speaks TLS with certificates of its own.
import { routeCluster } from "../../../../control-plane/src/render/mesh/envoy-gateway.js";
import { type JsonObject, type Resource, resource, typed } from "./messages.js";

const TYPES = "type.googleapis.com/envoy.extensions.filters";
const WASM = `${TYPES}.http.wasm.v3.Wasm`;
const HCM = `${TYPES}.network.http_connection_manager.v3.HttpConnectionManager`;
const ROUTER = `${TYPES}.http.router.v3.Router`;
const FILTER_CONFIG = "type.googleapis.com/envoy.config.route.v3.FilterConfig";
/** Of the service, and of the code. */
export const SERVICE_ROUTE = "httproute/default/app/rule/0";
export const CODE_CLUSTER = "wasm_cluster";

/** The parts of an EnvoyExtensionPolicy and of the HTTPRoute beside it that the translation reads. */
export interface ExtensionPolicy {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly wasm: readonly [
      {
        readonly name: string;
        readonly rootID: string;
        readonly env: { readonly hostKeys: readonly string[] };
        readonly config: JsonObject;
      },
    ];
  };
}
export interface CallRoute {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly rules: readonly [
      {
        readonly matches: readonly [{ readonly headers: readonly [{ readonly name: string; readonly value: string }] }];
      },
    ];
  };
}

/** Made of the route's name alone, whatever the settings say. */
export const callCluster = ({ metadata }: CallRoute): string => routeCluster(metadata.namespace, metadata.name);

export function envoyGatewayListener(
  policy: ExtensionPolicy,
  calls: CallRoute,
  { port, sha256 }: { readonly port: number; readonly sha256: string },
): Resource {
  const { name, namespace } = policy.metadata;
  const vmId = `envoyextensionpolicy/${namespace}/${name}/wasm/0`;
  const filterName = `envoy.filters.http.wasm/${vmId}`;
  const [wasm] = policy.spec.wasm;
  const uri = "http://envoy-gateway.envoy-gateway-system.svc.cluster.local:18002/code.wasm";
  const retry = { num_retries: 10, retry_back_off: { base_interval: "1s", max_interval: "30s" } };
  const config = {
    name: wasm.name,
    root_id: wasm.rootID,
    vm_config: {
      vm_id: vmId,
      runtime: "envoy.wasm.runtime.v8",
      code: {
        remote: { http_uri: { uri, cluster: CODE_CLUSTER, timeout: "10s" }, sha256, retry_policy: retry },
      },
      environment_variables: { host_env_keys: wasm.env.hostKeys },
    },
    configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: JSON.stringify(wasm.config) },
  };
  const enabled = { [filterName]: { "@type": FILTER_CONFIG, config: {} } };
  const [header] = calls.spec.rules[0].matches[0].headers;
  const never = { name: header.name, string_match: { safe_regex: { regex: header.value } } };
  const routes = [
    {
      match: { prefix: "/", headers: [never] },
      route: { cluster: callCluster(calls) },
      typed_per_filter_config: enabled,
    },
    { match: { prefix: "/" }, route: { cluster: SERVICE_ROUTE }, typed_per_filter_config: enabled },
  ];
  const manager = typed(HCM, {
    stat_prefix: `http-${port}`,
    normalize_path: true,
    merge_slashes: true,
    use_remote_address: true,
    http_filters: [
      { name: filterName, disabled: true, typed_config: { "@type": WASM, config } },
      { name: "envoy.filters.http.router", typed_config: { "@type": ROUTER, suppress_envoy_headers: true } },
    ],
    route_config: {
      name: "default/eg/http",
      virtual_hosts: [{ name: "default/eg/http/*", domains: ["*"], routes }],
    },
  });
  const filters = [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }];
  const address = { socket_address: { address: "127.0.0.1", port_value: port } };
  return resource("listener", "default/eg/http", { address, default_filter_chain: { filters } });
}
