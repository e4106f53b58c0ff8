// Renders envoy.yaml for one Envoy: sets addresses, the node, the filter and its edge settings, and keeps the rest.
import { type Document, isMap, isSeq, parseDocument } from "yaml";
import { DEFAULT_CLUSTER, type EdgeSettings } from "./edge-settings.js";
import { FILTER_NAME, WASM_FILTER_URL } from "./wasm-filter.js";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What is left out stays as the template has it. */
export interface EnvoyOptions {
  proxyPort?: number | undefined;
  /** Address of the proxy's listener. The admin interface stays where the template has it: on loopback. */
  bind?: string | undefined;
  adminPort?: number | undefined;
  upstream?: Endpoint | undefined;
  controlPlane?: Endpoint | undefined;
  nodeId?: string | undefined;
  /** Of the compiled filter, as Envoy sees it. */
  filterPath?: string | undefined;
  /** The cluster of the calls is named as they say. */
  settings?: EdgeSettings | undefined;
  /** Envoy takes the filter from this file instead, as ecds-file.ts makes it, and follows it. */
  followedFile?: string | undefined;
}

/** The template lacks what has to be set. The message is one sentence. */
export class UnfitTemplate extends Error {
  override readonly name = "UnfitTemplate";
}

/** A step into the document: a key of a map, or the item of a list that has this `name`. */
type Step = string | { named: string } | { first: true };

const FIRST: Step = { first: true };
const SOCKET_ADDRESS = ["address", "socket_address"] as const;
const PROXY_LISTENER: readonly Step[] = ["static_resources", "listeners", { named: "proxy" }];
const FILTER: readonly Step[] = [
  ...PROXY_LISTENER,
  ...["filter_chains", FIRST, "filters", FIRST, "typed_config", "http_filters", { named: FILTER_NAME }],
];
const FILTER_CONFIG: readonly Step[] = [...FILTER, "typed_config", "config"];
const NODE_ID: readonly Step[] = ["node", "id"];
const ADMIN_PORT: readonly Step[] = ["admin", ...SOCKET_ADDRESS, "port_value"];
const PROXY_PORT: readonly Step[] = [...PROXY_LISTENER, ...SOCKET_ADDRESS, "port_value"];
const PROXY_ADDRESS: readonly Step[] = [...PROXY_LISTENER, ...SOCKET_ADDRESS, "address"];
const FILTER_PATH: readonly Step[] = [...FILTER_CONFIG, "vm_config", "code", "local", "filename"];
const SETTINGS: readonly Step[] = [...FILTER_CONFIG, "configuration", "value"];

/**
 * YAML text of the template with the options filled in.
 * @throws UnfitTemplate when the template has no such field
 */
export function envoyBootstrap(options: EnvoyOptions, template: string): string {
  const document = parseDocument(template);
  if (document.errors[0] !== undefined)
    throw new UnfitTemplate(`envoy.yaml is not YAML: ${document.errors[0].message}`);
  const { upstream, controlPlane, settings, followedFile } = options;

  set(document, NODE_ID, options.nodeId);
  set(document, ADMIN_PORT, options.adminPort);
  set(document, PROXY_PORT, options.proxyPort);
  set(document, PROXY_ADDRESS, options.bind);
  set(document, FILTER_PATH, options.filterPath);
  setEndpoint(document, "upstream", upstream);
  setEndpoint(document, DEFAULT_CLUSTER, controlPlane);
  if (settings !== undefined) {
    set(document, SETTINGS, JSON.stringify(settings));
    renameCluster(document, DEFAULT_CLUSTER, settings.controlPlane.cluster);
  }
  if (followedFile !== undefined) followFile(document, followedFile);
  // No folding: a folded JSON scalar would be hard to compare and to search.
  return document.toString({ lineWidth: 0 });
}

function setEndpoint(document: Document, cluster: string, endpoint: Endpoint | undefined): void {
  const address: readonly Step[] = [
    ...clusterNamed(cluster),
    ...["load_assignment", "endpoints", FIRST, "lb_endpoints", FIRST, "endpoint", ...SOCKET_ADDRESS],
  ];
  set(document, [...address, "address"], endpoint?.host);
  set(document, [...address, "port_value"], endpoint?.port);
}

/** Also as the one that an answer of endpoints is for. Does nothing where it has that name. */
function renameCluster(document: Document, from: string, to: string): void {
  if (from === to) return;
  set(document, [...clusterNamed(from), "load_assignment", "cluster_name"], to);
  set(document, [...clusterNamed(from), "name"], to);
}

const clusterNamed = (name: string): Step[] => ["static_resources", "clusters", { named: name }];

/** Envoy watches the file's folder, and reads the file when it is renamed into place. */
function followFile(document: Document, path: string): void {
  const filter = resolve(document, FILTER);
  document.deleteIn([...filter, "typed_config"]);
  const discovery = {
    config_source: { path_config_source: { path }, resource_api_version: "V3" },
    type_urls: [WASM_FILTER_URL],
  };
  document.setIn([...filter, "config_discovery"], document.createNode(discovery));
}

/** Replaces the scalar at `steps`; one that is not there means that the template and this file have parted. */
function set(document: Document, steps: readonly Step[], value: string | number | undefined): void {
  if (value === undefined) return;
  document.setIn(resolve(document, steps), value);
}

function resolve(document: Document, steps: readonly Step[]): (string | number)[] {
  const path: (string | number)[] = [];
  for (const step of steps) {
    const key = typeof step === "string" ? step : indexOf(document, path, step);
    path.push(key);
    if (!document.hasIn(path)) throw new UnfitTemplate(`envoy.yaml lacks ${spell(steps)}, which has to be set.`);
  }
  return path;
}

/** -1 where the list or the item is not there. */
function indexOf(document: Document, path: readonly (string | number)[], step: Exclude<Step, string>): number {
  const list = document.getIn(path);
  if (!isSeq(list)) return -1;
  if ("first" in step) return 0;
  return list.items.findIndex((item) => isMap(item) && item.get("name") === step.named);
}

function spell(steps: readonly Step[]): string {
  const words = steps.map((step) => {
    if (typeof step === "string") return `.${step}`;
    return "named" in step ? `[name=${step.named}]` : "[0]";
  });
  return words.join("").replace(/^\./, "");
}
