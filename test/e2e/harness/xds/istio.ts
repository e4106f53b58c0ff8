// Istio's translation of a WasmPlugin for a gateway's Envoy, as recorded from a real istiod and its agent: names, the order
// of fields, and empty fields. Only the code differs: a file, where the agent would fetch an image.
import { type JsonObject, type Resource, resource, typed } from "./messages.js";

const HCM = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER = "envoy.extensions.filters.http.router.v3.Router";
const WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const RBAC = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";
const PASSTHROUGH = "upstream";
/** What a sidecar calls its own service. */
export const INBOUND = "inbound|8080||";

/** A sidecar's `node.id`. */
export const SIDECAR = "sidecar~10.0.0.9~shop-0.shop~shop.svc.cluster.local";
/** A gateway's `node.id`. */
export const GATEWAY = "router~10.0.0.7~istio-ingressgateway-0.istio-system~istio-system.svc.cluster.local";
/** What Istio calls the Service of envoy/kubernetes. */
export const CONTROL_PLANE = "outbound|8080||sluice.sluice.svc.cluster.local";

/** The parts of a WasmPlugin that its translation reads. */
export interface WasmPlugin {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly pluginName: string;
    readonly failStrategy: string;
    readonly vmConfig: { readonly env: readonly { readonly name: string; readonly valueFrom: string }[] };
    readonly pluginConfig: JsonObject;
  };
}

const pluginNameOf = ({ metadata }: WasmPlugin): string =>
  `${metadata.namespace}.${metadata.name}~istio-translated-wasmplugin`;

/** Under which the gateway asks for the filter's configuration. */
export const extensionNameOf = (plugin: WasmPlugin): string =>
  `extensions.istio.io/trafficextension/${pluginNameOf(plugin)}`;

/** The resource of the extension service. @param filterPath where the agent has put the image's code */
export function extensionOf(plugin: WasmPlugin, filterPath: string): Resource {
  return resource("extension", extensionNameOf(plugin), {
    typed_config: typed(WASM, { config: extensionConfigOf(plugin, filterPath) }),
  });
}

/** The PluginConfig in it, as Envoy's JSON. */
export function extensionConfigOf(plugin: WasmPlugin, filterPath: string): JsonObject {
  const { pluginName, failStrategy, vmConfig, pluginConfig } = plugin.spec;
  return {
    name: pluginNameOf(plugin),
    root_id: pluginName,
    failure_policy: failStrategy,
    vm_config: {
      runtime: "envoy.wasm.runtime.v8",
      code: { local: { filename: filterPath } },
      environment_variables: {
        host_env_keys: vmConfig.env.filter(({ valueFrom }) => valueFrom === "HOST").map(({ name }) => name),
      },
    },
    configuration: {
      "@type": "type.googleapis.com/google.protobuf.StringValue",
      value: JSON.stringify(sorted(pluginConfig)),
    },
  };
}

/** Istio takes the configuration for a protobuf Struct, whose JSON has its keys in order. */
function sorted(value: JsonObject): JsonObject {
  const one = (field: JsonObject[string]): JsonObject[string] => {
    if (Array.isArray(field)) return (field as readonly JsonObject[string][]).map(one);
    return typeof field === "object" ? sorted(field as JsonObject) : field;
  };
  const entries = Object.entries(value).map(([key, field]) => [key, one(field)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The gateway's listener: the filter by its name, its configuration from the aggregated stream and without a default. */
export function gatewayListener(plugin: WasmPlugin, port: number): Resource {
  const routes = [{ match: { prefix: "/" }, route: { cluster: PASSTHROUGH } }];
  const route_config = { name: "http", virtual_hosts: [{ name: "all", domains: ["*"], routes }] };
  return listenerOf(plugin, port, { name: `0.0.0.0_${port}`, stat_prefix: `outbound_0.0.0.0_${port}`, route_config });
}

/** A sidecar's listener for what others ask of its service. Istio leads connections there by the pod's own rules. */
export function inboundListener(plugin: WasmPlugin, port: number): Resource {
  const routes = [{ name: "default", match: { prefix: "/" }, route: { cluster: INBOUND, timeout: "0s" } }];
  const route_config = {
    name: INBOUND,
    validate_clusters: false,
    virtual_hosts: [{ name: "inbound|http|8080", domains: ["*"], routes }],
  };
  const extra = { traffic_direction: "INBOUND" };
  return listenerOf(plugin, port, { name: "virtualInbound", stat_prefix: "inbound_0.0.0.0_8080", route_config, extra });
}

interface ListenerParts {
  readonly name: string;
  readonly stat_prefix: string;
  readonly route_config: JsonObject;
  readonly extra?: object;
}

/** The filter in a chain: by its name, its configuration from the aggregated stream and without a default. */
export const httpFilterOf = (plugin: WasmPlugin): JsonObject => ({
  name: extensionNameOf(plugin),
  config_discovery: {
    config_source: { ads: {}, initial_fetch_timeout: "0s", resource_api_version: "V3" },
    type_urls: [WASM, RBAC],
  },
});

function listenerOf(plugin: WasmPlugin, port: number, { name, extra = {}, ...connections }: ListenerParts): Resource {
  const router = { name: "envoy.filters.http.router", typed_config: { "@type": `type.googleapis.com/${ROUTER}` } };
  const manager = typed(`type.googleapis.com/${HCM}`, {
    ...connections,
    normalize_path: true,
    http_filters: [httpFilterOf(plugin), router],
  });
  const filters = [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }];
  return resource("listener", name, { address: addressOf(port), filter_chains: [{ filters }], ...extra });
}

/** The gateway's clusters: its route's, and one for each Service that it can see, by name and port of 127.0.0.1. */
export function gatewayClusters(upstream: number, services: Readonly<Record<string, number>>): Resource[] {
  return Object.entries({ [PASSTHROUGH]: upstream, ...services }).map(([name, port]) =>
    resource("cluster", name, {
      type: "STATIC",
      connect_timeout: { seconds: 10 },
      load_assignment: {
        cluster_name: name,
        endpoints: [{ lb_endpoints: [{ endpoint: { address: addressOf(port) } }] }],
      },
    }),
  );
}

const addressOf = (port: number): object => ({ socket_address: { address: "127.0.0.1", port_value: port } });

export interface GatewayPorts {
  readonly admin: number;
  readonly xds: number;
}

/** What the annotation sidecar.istio.io/extraStatTags makes of a bootstrap, beside tags that may meet our metrics too. */
function statsConfig(extraStatTags: readonly string[]): object {
  const extra = extraStatTags.map((tag_name) => ({ tag_name, regex: `(${tag_name}=\\.=(.*?);\\.;)` }));
  const always = [
    { tag_name: "response_code", regex: "_rq(_(\\d{3}))$" },
    { tag_name: "cache", regex: "(cache\\.(.+?)\\.)" },
    { tag_name: "component", regex: "(component\\.(.+?)\\.)" },
    { tag_name: "tag", regex: "(tag\\.(.+?);\\.)" },
    { tag_name: "wasm_filter", regex: "(wasm_filter\\.(.+?)\\.)" },
  ];
  const kept = ["reporter=", "cluster_manager", "listener_manager", "server", "cluster.xds-grpc", "wasm", "component"];
  return {
    use_all_default_tags: false,
    stats_tags: [...extra, ...always],
    stats_matcher: { inclusion_list: { patterns: kept.map((prefix) => ({ prefix })) } },
  };
}

/** The bootstrap of a gateway's Envoy: who it is, what becomes of its metrics, and where everything else comes from. */
export function gatewayBootstrap(
  nodeId: string,
  { admin, xds }: GatewayPorts,
  extraStatTags: readonly string[] = [],
): string {
  const options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  const cluster = {
    name: "xds-grpc",
    type: "STATIC",
    connect_timeout: "1s",
    typed_extension_protocol_options: {
      [options]: { "@type": `type.googleapis.com/${options}`, explicit_http_config: { http2_protocol_options: {} } },
    },
    load_assignment: {
      cluster_name: "xds-grpc",
      endpoints: [{ lb_endpoints: [{ endpoint: { address: addressOf(xds) } }] }],
    },
  };
  const source = { ads: {}, initial_fetch_timeout: "0s", resource_api_version: "V3" };
  const grpc = [{ envoy_grpc: { cluster_name: "xds-grpc" } }];
  return JSON.stringify({
    node: { id: nodeId, cluster: "istio-ingressgateway" },
    admin: { address: addressOf(admin) },
    stats_config: statsConfig(extraStatTags),
    dynamic_resources: {
      ads_config: { api_type: "GRPC", transport_api_version: "V3", grpc_services: grpc },
      lds_config: source,
      cds_config: source,
    },
    static_resources: { clusters: [cluster] },
  });
}
