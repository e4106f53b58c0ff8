// Two more listeners of an Envoy, to the same service: one that asks the counter for each request, one without any limiter.
import type { Document } from "yaml";
import type { MoreListeners } from "../parts/envoys.js";

const EXT_AUTHZ = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz";
const CLUSTER = "counter";
const COUNTER_TIMEOUT = "1s";

interface Listener {
  name: string;
  address: { socket_address: { port_value: number } };
  filter_chains: { filters: { typed_config: { stat_prefix: string; http_filters: { name: string }[] } }[] }[];
}

/** @param counterPort where the counter's sidecar listens */
export function comparedListeners(counterPort: number): MoreListeners {
  return {
    count: 2,
    add: (document, [counted = 0, bare = 0]) => {
      const listeners = ["static_resources", "listeners"];
      const first = (document.getIn([...listeners, 0]) as { toJSON: () => Listener }).toJSON();
      document.addIn(listeners, document.createNode(another(first, "counted", counted, [authorization(counterPort)])));
      document.addIn(listeners, document.createNode(another(first, "bare", bare, [])));
      addCluster(document, counterPort);
    },
  };
}

/** The listener again, with these filters in place of Sluice. */
function another(listener: Listener, name: string, port: number, filters: readonly { name: string }[]): Listener {
  const copy = structuredClone(listener);
  copy.name = name;
  copy.address.socket_address.port_value = port;
  for (const { typed_config: manager } of copy.filter_chains.flatMap((chain) => chain.filters)) {
    manager.stat_prefix = name;
    manager.http_filters = [...filters, ...manager.http_filters.filter((one) => one.name !== "sluice")];
  }
  return copy;
}

const authorization = (port: number) => ({
  name: "envoy.filters.http.ext_authz",
  typed_config: {
    "@type": EXT_AUTHZ,
    transport_api_version: "V3",
    failure_mode_allow: false,
    allowed_headers: { patterns: [{ exact: "x-session-id" }] },
    http_service: {
      server_uri: { uri: `http://127.0.0.1:${port}`, cluster: CLUSTER, timeout: COUNTER_TIMEOUT },
    },
  },
});

function addCluster(document: Document, port: number): void {
  const address = { socket_address: { address: "127.0.0.1", port_value: port } };
  const endpoints = [{ lb_endpoints: [{ endpoint: { address } }] }];
  const cluster = {
    ...{ name: CLUSTER, type: "STATIC", connect_timeout: "1s" },
    load_assignment: { cluster_name: CLUSTER, endpoints },
  };
  document.addIn(["static_resources", "clusters"], document.createNode(cluster));
}
