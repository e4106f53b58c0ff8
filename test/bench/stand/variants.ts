// What is compared: each variant is a listener of one and the same Envoy.
import { readPolicyDocument } from "../../../control-plane/src/domain/policy/read-policy.js";
import type { Policy } from "../../../control-plane/src/domain/policy/policy.js";
import { edgeSettings } from "../../../control-plane/src/render/edge-settings.js";
import { Failure } from "../../../scripts/failure.js";

/** Small filters of test/filters, compiled for the benchmark. */
export const SMALL_FILTERS = [
  "bench-noop",
  "bench-floor",
  "bench-headers-probe",
  "bench-floor-headers",
  "bench-host-calls",
  "bench-callbacks",
  "bench-callbacks-body",
  "bench-callbacks-trailers",
  "bench-callbacks-log",
  "bench-callbacks-done",
] as const;
export type FilterModule = (typeof SMALL_FILTERS)[number] | "sluice" | "sluice-lean" | "sluice-settle";
/** Where a compiled filter is. */
export type FilterPath = (module: FilterModule) => string;

export interface Variant {
  readonly name: string;
  /** What a reader of the table learns of it. */
  readonly what: string;
  /** The HTTP filter in front of the router; null for none. */
  readonly filter: object | null;
  /** How often it stands there; once unless given. */
  readonly copies?: number;
  /** Filters between it and the router. */
  readonly behind?: readonly object[];
  /** Headers that Envoy adds to its responses by itself, by name. */
  readonly responseHeaders?: Readonly<Record<string, string>>;
}

/** So many tokens that no request is denied for want of them. */
export const PLENTY = { id: 0, name: "plenty", maxTokens: 9_000_000, tokenRefillRate: 1_000_000 };
/** One request, and then one in eleven days: a session that has spent it is denied. */
export const ONE = { id: 1, name: "one", maxTokens: 1, tokenRefillRate: 0.000001 };
/** Ten requests, and no more. */
export const TEN = { id: 2, name: "ten", maxTokens: 10, tokenRefillRate: 0 };
/**
 * The control plane shares its core with the load, and nobody shall pass for want of its answer. Reports are seldom: one
 * would fall into the turn of any variant. What they cost is a part of its own (ticks.ts).
 */
const PATIENT = { onUnreachable: "deny", controlPlane: { acquireTimeout: 4000, reportInterval: 60_000 } };
/** Room for two thousand sessions, small enough that nearly every set has a record. */
const ROOM = { capacity: 8192 };
const LIMIT = { max_tokens: 1_000_000_000, tokens_per_fill: 1_000_000_000, fill_interval: "1s" };
const ALWAYS = { default_value: { numerator: 100, denominator: "HUNDRED" } };
const WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const LOCAL_RATE_LIMIT = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit";
const STRING = "type.googleapis.com/google.protobuf.StringValue";

export const BARE: Variant = { name: "bare", what: "no filter but the router", filter: null };

/** The policy of the benchmark, but for what is given. */
export function policyText(rest: Record<string, unknown> = {}): string {
  return JSON.stringify({ version: 1, plans: [PLENTY, ONE, TEN], ...PATIENT, ...rest });
}

/** @throws Failure on a policy that is none */
function validated(text: string): Policy {
  const result = readPolicyDocument(text);
  if ("policy" in result) return result.policy;
  throw new Failure(result.violations.map(({ path, message }) => `${path}: ${message}`).join("; "));
}

/**
 * A listener with Sluice; the full build where the policy wants response headers, else the lean one. Its policy stands in
 * its settings and holds for good: each variant has its own.
 */
export function sluiceVariant(
  name: string,
  what: string,
  path: FilterPath,
  { table = {}, ...policy }: VariantChoices = {},
  module: FilterModule = "sluice-lean",
): Variant {
  const text = policyText({ response: { headers: "none" }, ...policy });
  const { name: tableName, capacity: tableCapacity } = table;
  const settings = edgeSettings({ tableName, tableCapacity, follow: false, policy: validated(text) });
  return { name, what, filter: wasmFilter(module, path, name, JSON.stringify(settings)) };
}

/** The table stands in the settings; everything else is the policy's. */
interface VariantChoices {
  readonly table?: { readonly name?: string; readonly capacity?: number };
  readonly [field: string]: unknown;
}

function wasmFilter(module: FilterModule, path: FilterPath, name: string, configuration: string): object {
  const sluice = module.startsWith("sluice");
  const vm = {
    // All listeners with Sluice have one shared data. A VM serves one configuration: another one is another VM.
    vm_id: sluice ? "sluice" : module,
    configuration: { "@type": STRING, value: name },
    runtime: "envoy.wasm.runtime.v8",
    code: { local: { filename: path(module) } },
    environment_variables: { host_env_keys: ["SLUICE_SECRET", "SLUICE_SECRET_ALSO"] },
  };
  const config = {
    name,
    root_id: name,
    failure_policy: "FAIL_RELOAD",
    vm_config: vm,
    configuration: { "@type": STRING, value: configuration },
  };
  return { name, typed_config: { "@type": WASM, config } };
}

function localRateLimit(rest: object, limit: object = LIMIT): object {
  const config = { stat_prefix: "bench", token_bucket: limit, filter_enabled: ALWAYS, filter_enforced: ALWAYS };
  return { name: "local_ratelimit", typed_config: { "@type": LOCAL_RATE_LIMIT, ...config, ...rest } };
}

/** A bucket for each session token, made when it is first seen. */
function dynamicLimit(descriptors: number, limit: object = LIMIT): object {
  return localRateLimit({
    max_dynamic_descriptors: descriptors,
    rate_limits: [{ actions: [{ request_headers: { header_name: "x-session-id", descriptor_key: "session" } }] }],
    descriptors: [{ entries: [{ key: "session" }], token_bucket: limit }],
  });
}

/** The same with so few tokens that it can be seen to limit. */
const FEW = { max_tokens: 10, tokens_per_fill: 1, fill_interval: "3600s" };
export const NATIVE_CHECK = { name: "nativeCheck", tokens: FEW.max_tokens };

/** The variants of the request path. @param descriptors room of Envoy's own limiter, in sessions */
export function requestPathVariants(descriptors: number, path: FilterPath): Variant[] {
  const table = ROOM;
  const draft = { response: { headers: "draft" }, table };
  return [
    BARE,
    smallVariant(path, "noop", "one callback that returns", "bench-noop"),
    smallVariant(path, "floor", "header, clock, one get, one set of shared data", "bench-floor"),
    smallVariant(path, "headersProbe", "one callback that adds two response headers", "bench-headers-probe"),
    smallVariant(path, "floorHeaders", "the floor, and two response headers", "bench-floor-headers"),
    sluiceVariant("sluice", "Sluice without response headers, lean build", path, { table }),
    sluiceVariant("sluiceFull", "Sluice without response headers, full build", path, { table }, "sluice"),
    sluiceVariant("sluiceHeaders", "Sluice with its two response headers", path, draft, "sluice"),
    { name: "nativeStatic", what: "local_ratelimit, one bucket for all", filter: localRateLimit({}) },
    { name: "nativeDynamic", what: "local_ratelimit, a descriptor a session", filter: dynamicLimit(descriptors) },
    { name: NATIVE_CHECK.name, what: "the same with few tokens", filter: dynamicLimit(descriptors, FEW) },
  ];
}

/** One of the small filters. */
function smallVariant(path: FilterPath, name: string, what: string, module: FilterModule, configuration = ""): Variant {
  return { name, what, filter: wasmFilter(module, path, name, configuration) };
}

/**
 * Filters that return at once: with the callbacks of the full build, and with further ones. Each stands there so often,
 * since one callback is less than the noise.
 */
export function callbackVariants(path: FilterPath, copies: number): Variant[] {
  const small = (name: string, what: string, module: FilterModule): Variant => {
    return { ...smallVariant(path, name, what, module), copies };
  };
  return [
    small("callbacks", "those of the full build", "bench-callbacks"),
    small("body", "proxy_on_response_body and _trailers, a body in one piece", "bench-callbacks-body"),
    small("trailers", "proxy_on_response_trailers, no trailers", "bench-callbacks-trailers"),
    small("log", "proxy_on_log", "bench-callbacks-log"),
    small("done", "proxy_on_done", "bench-callbacks-done"),
    small("callbacksAgain", "none: the noise", "bench-callbacks"),
  ];
}

/** Filters that make one host call again and again, and two that add two response headers. */
export function hostCallVariants(path: FilterPath): Variant[] {
  const call = (name: string, what: string, letter: string): Variant =>
    smallVariant(path, name, what, "bench-host-calls", letter);
  const fromState = {
    ratelimit: "%FILTER_STATE(wasm.limit:PLAIN)%",
    "ratelimit-policy": "%FILTER_STATE(wasm.policy:PLAIN)%",
  };
  return [
    BARE,
    smallVariant(path, "noop", "one callback that returns", "bench-noop"),
    call("header", "proxy_get_header_map_value, present", "h"),
    call("property", "proxy_get_property, the same header", "p"),
    call("allHeaders", "proxy_get_header_map_pairs, all headers", "a"),
    call("monotonicClock", "clock_time_get, monotonic", "m"),
    call("wallClock", "proxy_get_current_time_nanoseconds", "w"),
    call("get", "proxy_get_shared_data, 1,280 bytes", "g"),
    call("getAbsent", "proxy_get_shared_data, absent", "n"),
    call("set", "proxy_set_shared_data, 1,280 bytes", "s"),
    call("count", "proxy_increment_metric", "c"),
    smallVariant(path, "headersProbe", "a callback for responses that adds them", "bench-headers-probe"),
    {
      ...call("state", "two properties, which Envoy's configuration turns into headers", "t"),
      responseHeaders: fromState,
    },
  ];
}
