// What is wrong with an Envoy, by what it says about itself, in the order in which to mend it.
import { OLDEST_MINOR } from "../../../render/oldest-envoy.js";
import type { EnvoyFailure, EnvoySaid } from "./ask-envoy.js";
import type { DiscoveredFilter, SluiceFilter } from "./envoy-filter.js";
import type { Finding } from "./finding.js";

/** One VM a worker, and one each for Envoy's main thread and the module itself. */
const OTHER_VMS = 2;
/** After a trap; what was put off in between is counted apart. */
const RELOADS = ["vm_reload_success", "vm_reload_failure"];

type Found = Omit<Finding, "about">;

/** What the control plane says of edges: the ones that watch it now. What failed before is mended. */
export type Watching = ReadonlySet<string>;

/**
 * @param url of its admin interface
 * @param watching undefined: the control plane answers, and does not say it to this command. Then what failed once is no sign
 */
export function envoyFindings(said: EnvoySaid | EnvoyFailure, url: string, watching: Watching | undefined): Finding[] {
  const about = "failure" in said || said.nodeId === "" ? `envoy ${url}` : `edge ${said.nodeId}`;
  const found = "failure" in said ? [unreachable(said)] : ofEnvoy(said, watching?.has(said.nodeId));
  return found.map((one) => ({ ...one, about }));
}

const unreachable = ({ failure }: EnvoyFailure): Found => ({
  code: "ENVOY_UNREACHABLE",
  what: failure,
  act: "Is Envoy running, and is this the address of its admin interface (admin.address)?",
});

function ofEnvoy(said: EnvoySaid, isWatching: boolean | undefined): Found[] {
  const { filters, discovered } = said;
  const itself = [...tooOld(said), ...noName(said), ...notLive(said)];
  if (filters.length === 0) {
    return [...itself, ...(discovered.length > 0 ? discovered.map(notReceived) : [NO_FILTER])];
  }
  if (filters.some(({ hasSecret }) => !hasSecret)) return [...itself, NO_SECRET];
  const running = notRunning(said);
  if (running.length > 0) return [...itself, ...running];
  const calling = isWatching === true ? [] : filters.filter(({ follow }) => follow);
  const calls = calling.flatMap((filter) => ofCalls(said, filter, isWatching === false));
  return [...itself, ...calls, ...traps(said)];
}

function tooOld({ version }: EnvoySaid): Found[] {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 1 || minor >= OLDEST_MINOR) return [];
  const what = `it is Envoy ${version}, too old`;
  return [{ code: "ENVOY_TOO_OLD", what, act: `Use Envoy 1.${OLDEST_MINOR} or newer` }];
}

function noName({ nodeId }: EnvoySaid): Found[] {
  if (nodeId !== "") return [];
  const act = "Set node.id in its bootstrap, or start it with --service-node; each Envoy its own";
  return [{ code: "NO_NODE_ID", what: "it has no node.id: the control plane cannot tell it from others", act }];
}

function notLive({ state }: EnvoySaid): Found[] {
  if (state === "LIVE") return [];
  const what = `it does not serve: its state is ${state}`;
  return [{ code: "ENVOY_NOT_LIVE", what, act: "See its log for what it waits for" }];
}

const NO_FILTER: Found = {
  code: "NO_FILTER",
  what: "none of its listeners has the filter (a Wasm filter with root_id sluice): it lets everything pass",
  act: "Put the filter into http_filters, before the router: sluice render envoy prints how",
};

function notReceived({ name, received }: DiscoveredFilter): Found {
  const what =
    received === undefined
      ? `it has not received the filter ${name} that its listener discovers, or has rejected it`
      : `as the filter ${name} that its listener discovers it received ${received}, not Sluice's`;
  const act =
    "See its log, components config and wasm, and the file or server that config_discovery names (Istio: istiod's log too)";
  return { code: "FILTER_NOT_RECEIVED", what, act };
}

const NO_SECRET: Found = {
  code: "NO_SECRET",
  what: "its filter is not given SLUICE_SECRET",
  act: "Name it in vm_config.environment_variables.host_env_keys: sluice render envoy prints how",
};

/** One that Envoy could not load, or that rejected its settings, has made no metric. */
function notRunning({ stats }: EnvoySaid): Found[] {
  if ([...stats.keys()].some((name) => name.startsWith("wasmcustom.sluice_"))) return [];
  const what = "it has the filter in its configuration, and does not run it";
  return [{ code: "FILTER_NOT_RUNNING", what, act: "See its log, component wasm: the file, the secret, the settings" }];
}

/** What came of the calls to the control plane, since Envoy was started. */
const calls = ({ stats }: EnvoySaid, outcome: string): number =>
  [...stats].reduce((sum, [name, value]) => {
    const isOne = name.startsWith("wasmcustom.sluice_calls_total") && name.includes(`outcome=.=${outcome};`);
    return isOne ? sum + value : sum;
  }, 0);

/** @param countsFailures whether calls that failed since the start say what is now; else only where none ever was good */
function ofCalls(said: EnvoySaid, { cluster }: SluiceFilter, countsFailures: boolean): Found[] {
  const known = said.clusters.get(cluster);
  if (known === undefined) {
    const what = `it has no cluster ${cluster}, by which its filter calls the control plane`;
    return [{ code: "NO_CLUSTER", what, act: "Add it to the clusters, or name another in the edge settings" }];
  }
  if (known.healthy === 0) {
    const what = `its cluster ${cluster} has ${known.hosts.length === 0 ? "no host" : "no healthy host"}`;
    return [{ code: "NO_HOST", what, act: "See the address of the control plane in it, and its name in the DNS" }];
  }
  const wasAnswered = calls(said, "ok") > 0;
  if (wasAnswered && !countsFailures) return [];
  if (calls(said, "unauthorized") > 0) {
    const what = "its secret is not the control plane's: its calls are denied";
    return [{ code: "SECRET_DIFFERS", what, act: "Give it the control plane's SLUICE_SECRET, and restart it" }];
  }
  const failed = (said.stats.get(`cluster.${cluster}.upstream_cx_connect_fail`) ?? 0) > 0;
  if (wasAnswered && !failed) return [];
  const what = `its filter does not reach the control plane by the cluster ${cluster} (${known.hosts.join(", ")})`;
  return [
    { code: "CALLS_FAIL", what, act: "See the cluster's address, port and TLS, and that the control plane runs" },
  ];
}

function traps({ stats, filters }: EnvoySaid): Found[] {
  const names = [...new Set(filters.map(({ name }) => name))];
  const counters = names.flatMap((name) => RELOADS.map((counter) => `wasm.${name}.${counter}`));
  const reloads = counters.reduce((sum, counter) => sum + (stats.get(counter) ?? 0), 0);
  const workers = stats.get("server.concurrency") ?? 0;
  const machines = stats.get("wasm.wasm_vm_count") ?? Infinity;
  const found: Found[] = [];
  if (machines < workers + OTHER_VMS) {
    const what = `it runs ${machines} VMs of the filter, of ${workers + OTHER_VMS} for ${workers} workers: some serve without it`;
    found.push({
      code: "WORKERS_WITHOUT_FILTER",
      what,
      act: "Restart it: docs/operations.md#the-alarm-that-must-exist",
    });
  }
  if (reloads > 0) {
    const what = `its filter trapped ${reloads} times since it was started`;
    found.push({ code: "FILTER_TRAPPED", what, act: "Report it with the lines of its log, component wasm" });
  }
  return found;
}
