// Sluice's filter in what an Envoy is configured with: of whatever listener, inline or discovered.
import { ENV_SECRET } from "../../../../../assembly/contract.js";
import { DEFAULT_CLUSTER } from "../../../render/edge-settings.js";
import { FILTER_NAME } from "../../../render/wasm-filter.js";

export interface SluiceFilter {
  /** Of the plugin: what Envoy's own metrics of it are called after. Istio has names of its own. */
  readonly name: string;
  /** That leads to the control plane. */
  readonly cluster: string;
  readonly follow: boolean;
  /** Whether the filter is given the environment's SLUICE_SECRET, or one of its own. */
  readonly hasSecret: boolean;
}

/** Each once, however many listeners have it. */
export function sluiceFiltersIn(dump: unknown): SluiceFilter[] {
  const found = new Map<string, SluiceFilter>();
  walk(dump, (object) => {
    const filter = filterOf(object);
    if (filter !== undefined) found.set(JSON.stringify(filter), filter);
  });
  return [...found.values()];
}

/** A filter that a listener takes from elsewhere, such as a file that Envoy follows, or Istio's management server. */
export interface DiscoveredFilter {
  readonly name: string;
  /** The type of what it received under that name; undefined: nothing yet. Istio's proxy may put one there that denies. */
  readonly received: string | undefined;
}

/** Those that may be Sluice's: by their name, or else, as a WasmPlugin may have any, because they may be of Wasm. */
export function discoveredIn(dump: unknown): DiscoveredFilter[] {
  const names = new Set<string>();
  const received = new Map<string, string>();
  walk(dump, ({ name, config_discovery: discovery, ecds_filter: filter }) => {
    if (typeof name === "string" && isObject(discovery) && mayBeWasm(discovery)) names.add(name);
    if (isObject(filter) && typeof filter.name === "string") received.set(filter.name, typeOf(filter.typed_config));
  });
  const found = [...names].map((name) => ({ name, received: received.get(name) }));
  const named = found.filter(({ name }) => LIKE_OURS.test(name));
  return named.length > 0 ? named : found;
}

/** `sluice`, or Istio's `extensions.istio.io/…/istio-system.sluice~istio-translated-wasmplugin`. */
const LIKE_OURS = new RegExp(`(?:^|[./])${FILTER_NAME}(?:$|~)`);

/** Without types it may be anything. */
function mayBeWasm({ type_urls: types }: Fields): boolean {
  return !Array.isArray(types) || types.some((type) => typeof type === "string" && WASM_TYPE.test(type));
}

const WASM_TYPE = /\.http\.wasm\.v3\.Wasm$/;

/** Also of a TypedStruct, which holds another. */
function typeOf(config: unknown): string {
  if (!isObject(config)) return "";
  const type = config.type_url ?? config["@type"];
  return typeof type === "string" ? type.replace(/^.*\//, "") : "";
}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

function walk(value: unknown, visit: (object: Fields) => void): void {
  if (!isObject(value)) return;
  visit(value);
  for (const one of Object.values(value)) walk(one, visit);
}

/** A plugin of proxy-wasm: its `root_id` is how a module that holds several knows which one is meant. */
function filterOf({ name, root_id: rootId, vm_config: vm, configuration }: Fields): SluiceFilter | undefined {
  if (rootId !== FILTER_NAME || !isObject(vm)) return undefined;
  const settings = settingsOf(configuration);
  const plane = isObject(settings.controlPlane) ? settings.controlPlane : {};
  return {
    name: typeof name === "string" ? name : "",
    cluster: typeof plane.cluster === "string" ? plane.cluster : DEFAULT_CLUSTER,
    follow: settings.follow !== false,
    hasSecret: hasSecret(vm.environment_variables),
  };
}

/** A StringValue with JSON or YAML in it; what is no JSON counts as the defaults. */
function settingsOf(configuration: unknown): Fields {
  const text = isObject(configuration) ? configuration.value : undefined;
  if (typeof text !== "string") return isObject(text) ? text : {};
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function hasSecret(environment: unknown): boolean {
  if (!isObject(environment)) return false;
  const { host_env_keys: keys, key_values: values } = environment;
  return (Array.isArray(keys) && keys.includes(ENV_SECRET)) || (isObject(values) && ENV_SECRET in values);
}
