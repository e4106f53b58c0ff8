// Renders envoy.yaml for one Envoy: sets ports, addresses, the filter's file and the default policy, keeps the rest.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, isMap, isSeq, parseDocument } from "yaml";
import { Failure } from "./failure.js";
import { projectRoot } from "./project-root.js";

/** What is left out stays as the template has it. */
export interface EnvoyOptions {
  proxyPort?: number;
  adminPort?: number;
  /** Address of the proxy's listener. The admin interface stays where the template has it: on loopback. */
  bind?: string;
  upstream?: { host: string; port: number };
  controlPlane?: { host: string; httpPort: number; xdsPort: number };
  nodeId?: string;
  /** Of the compiled filter, as Envoy sees it. */
  filterPath?: string;
  /** The canonical JSON of the policy that holds until the control plane sends one. */
  policyJson?: string;
}

/** A step into the document: a key of a map, or the item of a list that has this `name`. */
type Step = string | { named: string } | { first: true };

const FIRST: Step = { first: true };
const SOCKET_ADDRESS = ["address", "socket_address"] as const;
const PROXY_LISTENER: readonly Step[] = ["static_resources", "listeners", { named: "proxy" }];
const DEFAULT_FILTER_CONFIG: readonly Step[] = [
  ...PROXY_LISTENER,
  ...["filter_chains", FIRST, "filters", FIRST, "typed_config", "http_filters", { named: "sluice" }],
  ...["config_discovery", "default_config", "config"],
];
const NODE_ID: readonly Step[] = ["node", "id"];
const ADMIN_PORT: readonly Step[] = ["admin", ...SOCKET_ADDRESS, "port_value"];
const PROXY_PORT: readonly Step[] = [...PROXY_LISTENER, ...SOCKET_ADDRESS, "port_value"];
const PROXY_ADDRESS: readonly Step[] = [...PROXY_LISTENER, ...SOCKET_ADDRESS, "address"];
const FILTER_PATH: readonly Step[] = [...DEFAULT_FILTER_CONFIG, "vm_config", "code", "local", "filename"];
const POLICY_JSON: readonly Step[] = [...DEFAULT_FILTER_CONFIG, "configuration", "value"];

/**
 * YAML text of the template with the options in their places.
 * @throws Failure when the template lacks such a place.
 */
export function renderEnvoy(options: EnvoyOptions, template: string = committedTemplate()): string {
  const document = parseDocument(template);
  if (document.errors[0] !== undefined) throw new Failure(`envoy.yaml is not YAML: ${document.errors[0].message}`);
  const { upstream, controlPlane } = options;

  set(document, NODE_ID, options.nodeId);
  set(document, ADMIN_PORT, options.adminPort);
  set(document, PROXY_PORT, options.proxyPort);
  set(document, PROXY_ADDRESS, options.bind);
  set(document, FILTER_PATH, options.filterPath);
  set(document, POLICY_JSON, options.policyJson);
  setEndpoint(document, "upstream", upstream?.host, upstream?.port);
  setEndpoint(document, "sluice_control_plane", controlPlane?.host, controlPlane?.httpPort);
  setEndpoint(document, "sluice_xds", controlPlane?.host, controlPlane?.xdsPort);
  // No folding: a folded JSON scalar would be hard to compare and to search.
  return document.toString({ lineWidth: 0 });
}

/** The policy JSON that a bootstrap carries; undefined where there is none. */
export function defaultPolicyOf(template: string): unknown {
  const document = parseDocument(template);
  return document.getIn(resolve(document, POLICY_JSON));
}

function committedTemplate(): string {
  return readFileSync(join(projectRoot, "envoy.yaml"), "utf8");
}

function setEndpoint(document: Document, cluster: string, host: string | undefined, port: number | undefined): void {
  const address: readonly Step[] = [
    ...["static_resources", "clusters", { named: cluster }, "load_assignment", "endpoints", FIRST],
    ...["lb_endpoints", FIRST, "endpoint", ...SOCKET_ADDRESS],
  ];
  set(document, [...address, "address"], host);
  set(document, [...address, "port_value"], port);
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
    if (!document.hasIn(path)) throw new Failure(`envoy.yaml lacks ${spell(steps)}, which has to be set.`);
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
