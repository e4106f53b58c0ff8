// Sluice's filter in what an Envoy is configured with: of whatever listener, inline or discovered.
import { ENV_SECRET } from "../../../../../assembly/contract.js";
import { DEFAULT_CLUSTER } from "../../../render/edge-settings.js";
import { FILTER_NAME } from "../../../render/wasm-filter.js";

export interface SluiceFilter {
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

/** Whether a listener takes the filter from elsewhere, such as a file that Envoy follows. */
export function isDiscoveredIn(dump: unknown): boolean {
  let found = false;
  walk(dump, ({ name, config_discovery: discovery }) => {
    found ||= name === FILTER_NAME && isObject(discovery);
  });
  return found;
}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

function walk(value: unknown, visit: (object: Fields) => void): void {
  if (!isObject(value)) return;
  visit(value);
  for (const one of Object.values(value)) walk(one, visit);
}

/** A plugin of proxy-wasm: its `root_id` is how a module that holds several knows which one is meant. */
function filterOf({ root_id: rootId, vm_config: vm, configuration }: Fields): SluiceFilter | undefined {
  if (rootId !== FILTER_NAME || !isObject(vm)) return undefined;
  const settings = settingsOf(configuration);
  const plane = isObject(settings.controlPlane) ? settings.controlPlane : {};
  return {
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
