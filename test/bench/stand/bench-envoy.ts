// The one Envoy that all variants run in: a listener each, which answers by itself or has a service behind it.
import { parse } from "yaml";
import { renderEnvoy } from "../../../scripts/render-envoy.js";
import { withHttp2Upstream } from "../../e2e/harness/grpc.js";
import type { Variant } from "./variants.js";

const LOOPBACK = "127.0.0.1";
const MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

const BY_ITSELF = { direct_response: { status: 200, body: { inline_string: "served" } } };

interface Bootstrap {
  static_resources: { listeners: unknown[] };
}

export interface BenchEnvoy {
  readonly adminPort: number;
  /** The port of the control plane. */
  readonly controlPlane: number;
  /** One for each variant, in their order. */
  readonly ports: readonly number[];
  readonly variants: readonly Variant[];
  /** The port of a service over HTTP/2 behind all listeners; each answers by itself unless given. */
  readonly service?: number | undefined;
}

/** A bootstrap in JSON: envoy.yaml's clusters and node, and the variants' listeners in place of its own. */
export async function benchBootstrap({
  adminPort,
  controlPlane,
  ports,
  variants,
  service,
}: BenchEnvoy): Promise<string> {
  const at = (port: number): { host: string; port: number } => ({ host: LOOPBACK, port });
  const rendered = await renderEnvoy({
    adminPort,
    controlPlane: at(controlPlane),
    nodeId: "bench",
    ...(service === undefined ? {} : { upstream: at(service) }),
  });
  const bootstrap = parse(service === undefined ? rendered : withHttp2Upstream(rendered)) as Bootstrap;
  const action = service === undefined ? BY_ITSELF : { route: { cluster: "upstream" } };
  bootstrap.static_resources.listeners = variants.map((variant, i) => listener(variant, ports[i] ?? 0, action));
  return JSON.stringify(bootstrap);
}

function listener(variant: Variant, port: number, action: object): object {
  const { name, filter, copies = 1, behind = [], responseHeaders = {} } = variant;
  const route = { match: { prefix: "/" }, ...action };
  const host = {
    name,
    domains: ["*"],
    routes: [route],
    response_headers_to_add: Object.entries(responseHeaders).map(([key, value]) => ({ header: { key, value } })),
  };
  const manager = {
    "@type": MANAGER,
    stat_prefix: name,
    codec_type: "AUTO",
    http_filters: [
      ...(filter === null ? [] : Array.from({ length: copies }, () => filter)),
      ...behind,
      { name: "envoy.filters.http.router", typed_config: { "@type": ROUTER } },
    ],
    route_config: { name, virtual_hosts: [host] },
  };
  return {
    name,
    address: { socket_address: { address: LOOPBACK, port_value: port } },
    // With several workers, each has as many of the connections.
    connection_balance_config: { exact_balance: {} },
    filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] }],
  };
}
