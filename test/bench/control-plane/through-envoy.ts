// Acquire as a client feels it: requests through an Envoy of one worker, with and without the filter, known and unknown.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";

import { CODE_MISSING_SESSION } from "../../../assembly/contract.js";
import { deriveKeys, readSecret } from "../../../control-plane/src/domain/keys.js";
import { makeToken } from "../../../control-plane/src/domain/token.js";
import { envoyPlan } from "../../../scripts/start/envoy-process.js";
import { Failure } from "../../../scripts/failure.js";
import { versionedFilter } from "../../../scripts/filter-file.js";
import { findEnvoy } from "../../../scripts/get-envoy.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { waitForAnswer } from "../../../scripts/start/readiness.js";
import { renderEnvoy } from "../../../scripts/render-envoy.js";
import type { Stack } from "../../../scripts/start/stack.js";
import { requestText } from "./http1-load.js";
import type { Server, Servers } from "./servers.js";
import type { Comparison, Variant } from "./variants.js";

const LOOPBACK = "127.0.0.1";
const READY_TIMEOUT_MS = 30_000;
const STATUS_CLUSTER = "sluice_status";

/** One Envoy, by its listeners. */
export interface Edge {
  readonly filtered: Server;
  /** Without the filter, to the same service. */
  readonly unfiltered: Server;
  /** Without the filter, to the control plane's status listener. */
  readonly toControlPlane: Server;
}

interface Listener {
  name: string;
  address: { socket_address: { port_value: number } };
  filter_chains: {
    filters: {
      typed_config: {
        http_filters: { name: string }[];
        route_config: { virtual_hosts: { routes: { route: { cluster: string } }[] }[] };
      };
    }[];
  }[];
}

interface Cluster {
  name: string;
  load_assignment: {
    endpoints: { lb_endpoints: { endpoint: { address: { socket_address: { port_value: number } } } }[] }[];
  };
}

/** The first cluster again, by another name and to another port. */
function another([cluster]: readonly Cluster[], name: string, port: number): Cluster {
  if (cluster === undefined) throw new Failure("envoy.yaml has no cluster.");
  const copy = structuredClone(cluster);
  copy.name = name;
  for (const { endpoint } of copy.load_assignment.endpoints.flatMap(({ lb_endpoints: all }) => all)) {
    endpoint.address.socket_address.port_value = port;
  }
  return copy;
}

/** The listener again: without the filter, on another port, to a cluster. */
function unfiltered(listener: Listener, name: string, port: number, cluster: string): Listener {
  const copy = structuredClone(listener);
  copy.name = name;
  copy.address.socket_address.port_value = port;
  for (const { typed_config: manager } of copy.filter_chains.flatMap(({ filters }) => filters)) {
    manager.http_filters = manager.http_filters.filter((one) => one.name !== "sluice");
    for (const { route } of manager.route_config.virtual_hosts.flatMap(({ routes }) => routes)) route.cluster = cluster;
  }
  return copy;
}

/** Starts the service and the Envoy, and resolves when its filter answers. */
export async function startEdge(
  stack: Stack,
  servers: Servers,
  { folder, prefix }: { readonly folder: string; readonly prefix: readonly string[] },
): Promise<Edge> {
  const [upstream = 0, admin = 0, proxy = 0, bare = 0, control = 0] = await freePorts(5);
  const pinned = (...line: string[]): { command: string; args: string[] } => {
    const [command = "", ...args] = [...prefix, ...line];
    return { command, args };
  };
  await stack.start({
    name: "The demo service",
    ...pinned(process.execPath, join(projectRoot, "build/js/scripts/start/demo-service.js")),
    env: { SLUICE_UPSTREAM_PORT: String(upstream) },
    logFile: join(folder, "demo-service.log"),
  });
  const bootstrap = parse(
    await renderEnvoy({
      proxyPort: proxy,
      adminPort: admin,
      upstream: { host: LOOPBACK, port: upstream },
      controlPlane: { host: LOOPBACK, port: servers.controlPlane.port },
      nodeId: "bench",
      filterPath: versionedFilter(join(projectRoot, "build/sluice.wasm"), join(folder, "filter")),
    }),
  ) as { static_resources: { listeners: Listener[]; clusters: Cluster[] } };
  const { listeners, clusters } = bootstrap.static_resources;
  const [filtered] = listeners;
  if (filtered === undefined) throw new Failure("envoy.yaml has no listener.");
  listeners.push(
    unfiltered(filtered, "unfiltered", bare, "upstream"),
    unfiltered(filtered, "to-control-plane", control, STATUS_CLUSTER),
  );
  clusters.push(another(clusters, STATUS_CLUSTER, servers.statusPort));
  const configFile = join(folder, "envoy.yaml");
  writeFileSync(configFile, stringify(bootstrap));
  const plan = envoyPlan({
    binary: await findEnvoy(),
    configFile,
    logFile: join(folder, "envoy.log"),
    secret: servers.secret,
    concurrency: 1,
    cwd: projectRoot,
  });
  const { pid } = await stack.start({ ...plan, ...pinned(plan.command, ...plan.args) });
  const ready = { timeoutMs: READY_TIMEOUT_MS, signal: stack.lost };
  await waitForAnswer(`http://${LOOPBACK}:${proxy}/`, { status: 401, text: CODE_MISSING_SESSION }, ready);
  const at = (port: number): Server => ({ pid, port });
  return { filtered: at(proxy), unfiltered: at(bare), toControlPlane: at(control) };
}

/** The CPU of these is Envoy's. */
export function throughEnvoy({ secret, sessionIds }: Servers, edge: Edge): Comparison {
  const reading = readSecret(secret);
  if (!reading.ok) throw new Failure(`the secret ${reading.violation}`);
  const keys = deriveKeys(reading.secret);
  const ask = (sessionId: string): string =>
    requestText("GET", "/", { "x-session-id": makeToken({ sessionId, planId: 0 }, keys) });
  let unseen = 0;
  const [known = "", ...unknown] = sessionIds;
  const knownAsks = ask(known);
  const variant = (name: string, server: Server, next: () => string): Variant => ({ name, server, next, status: 200 });
  return {
    title: "through Envoy: a session in its table, and one that it must acquire",
    variants: [
      variant("no filter", edge.unfiltered, () => knownAsks),
      variant("no filter, to the control plane's GET /healthz", edge.toControlPlane, () =>
        requestText("GET", "/healthz", {}),
      ),
      variant("filter, session in the table", edge.filtered, () => knownAsks),
      variant("filter, session never seen: acquire", edge.filtered, () => {
        const next = unknown[unseen++];
        if (next === undefined) throw new RangeError("every session has been seen");
        return ask(next);
      }),
    ],
  };
}
