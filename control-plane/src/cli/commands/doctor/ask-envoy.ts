// What an Envoy says about itself on its admin interface. What it is configured with may hold secrets: none is kept.
import type { Connection } from "../../client/connection.js";
import { NoAnswer } from "../../client/connection.js";
import { discoveredIn, sluiceFiltersIn } from "./envoy-filter.js";
import type { DiscoveredFilter, SluiceFilter } from "./envoy-filter.js";

export interface EnvoySaid {
  /** `1.40.0`. */
  readonly version: string;
  /** `LIVE`, or not yet. */
  readonly state: string;
  readonly nodeId: string;
  readonly filters: readonly SluiceFilter[];
  /** Those that are to come from elsewhere, such as a file, and may be Sluice's. */
  readonly discovered: readonly DiscoveredFilter[];
  /** By their names: the addresses of their hosts, and how many are healthy. */
  readonly clusters: ReadonlyMap<string, { readonly hosts: readonly string[]; readonly healthy: number }>;
  /** Counters and gauges by Envoy's own names. */
  readonly stats: ReadonlyMap<string, number>;
}

/** Why it did not answer as an Envoy does. */
export interface EnvoyFailure {
  readonly failure: string;
}

const RESOURCES = ["static_listeners", "dynamic_listeners", "ecds_filters"];
/** No name of a metric that a finding looks at is left out. */
const STATS = "/stats?filter=" + encodeURIComponent("^(wasm|server\\.concurrency|cluster\\.)");

export async function askEnvoy({ call }: Connection): Promise<EnvoySaid | EnvoyFailure> {
  const get = async (path: string): Promise<{ readonly status: number; readonly text: string }> =>
    call({ method: "GET", path, headers: { accept: "*/*" }, body: undefined, heldMs: 0 });
  try {
    const info = objectOf((await get("/server_info")).text);
    const version = /^[^/]*\/([^/]+)\//.exec(textOf(info, "version"))?.[1];
    if (version === undefined) return { failure: "it answers, but not as an Envoy's admin interface does" };
    const dumps: unknown[] = [];
    for (const resource of RESOURCES) {
      const { status, text } = await get(`/config_dump?resource=${resource}`);
      // 404: it has none of these.
      if (status === 200) dumps.push(objectOf(text));
    }
    return {
      version,
      state: textOf(info, "state"),
      nodeId: textOf(fieldOf(info, "node"), "id"),
      filters: sluiceFiltersIn(dumps),
      discovered: discoveredIn(dumps),
      clusters: clustersIn(objectOf((await get("/clusters?format=json")).text)),
      stats: statsIn((await get(STATS)).text),
    };
  } catch (error) {
    if (error instanceof NoAnswer) return { failure: `no answer: ${error.message}` };
    throw error;
  }
}

function objectOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
export const textOf = (value: unknown, name: string): string => {
  const field = fieldOf(value, name);
  return typeof field === "string" ? field : "";
};
export const listOf = (value: unknown, name: string): readonly unknown[] => {
  const field = fieldOf(value, name);
  return Array.isArray(field) ? field : [];
};

function clustersIn(dump: unknown): EnvoySaid["clusters"] {
  return new Map(
    listOf(dump, "cluster_statuses").map((cluster) => {
      const hosts = listOf(cluster, "host_statuses");
      return [textOf(cluster, "name"), { hosts: hosts.map(addressOf), healthy: hosts.filter(isHealthy).length }];
    }),
  );
}

/** `10.0.0.7:8080`, `[::1]:8080`, or the path of a socket in the file system. */
function addressOf(host: unknown): string {
  const address = fieldOf(host, "address");
  const socket = fieldOf(address, "socket_address");
  const [ip, port] = [textOf(socket, "address"), fieldOf(socket, "port_value")];
  if (typeof port !== "number") return textOf(fieldOf(address, "pipe"), "path") || "an address that Envoy does not say";
  return `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;
}

/** A host without a flag that says otherwise is. */
function isHealthy(host: unknown): boolean {
  const health = fieldOf(host, "health_status");
  const flags = Object.entries(typeof health === "object" && health !== null ? health : {});
  return flags.every(([name, value]) => (name === "eds_health_status" ? value !== "UNHEALTHY" : value !== true));
}

const statsIn = (text: string): ReadonlyMap<string, number> =>
  new Map([...text.matchAll(/^(.+): (\d+)$/gm)].map(([, name = "", value]) => [name, Number(value)]));
