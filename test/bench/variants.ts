// What is compared: each variant is a listener of one and the same Envoy.
import { readPolicyDocument } from "../../control-plane/src/domain/policy/read-policy.js";
import { Failure } from "../../scripts/failure.js";

export type FilterModule = "bench-noop" | "bench-floor" | "bench-headers-probe" | "sluice" | "sluice-lean";
/** Where a compiled filter is. */
export type FilterPath = (module: FilterModule) => string;

export interface Variant {
  readonly name: string;
  /** What a reader of the table learns of it. */
  readonly what: string;
  /** The HTTP filter in front of the router; null for none. */
  readonly filter: object | null;
}

/** So many tokens that nothing is refused for want of them. */
export const PLENTY = { id: 0, name: "plenty", maxTokens: 9_000_000, tokenRefillRate: 1_000_000 };
/** One request, and then one in eleven days: who has spent it is refused. */
const ONE = { id: 1, name: "one", maxTokens: 1, tokenRefillRate: 0.000001 };
/** Ten requests, and no more. */
export const TEN = { id: 2, name: "ten", maxTokens: 10, tokenRefillRate: 0 };
/** The control plane shares its core with the load, and nobody shall pass for want of its answer. */
const PATIENT = { onUnreachable: "deny", controlPlane: { acquireTimeout: 10_000 } };
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

/** As the judge numbers it. @throws Failure on a policy that is none. */
function policyJson(text: string): string {
  const verdict = readPolicyDocument(text);
  if ("policyJson" in verdict) return verdict.policyJson;
  throw new Failure(verdict.faults.map(({ path, message }) => `${path}: ${message}`).join("; "));
}

/** A listener with Sluice; the full build where the policy wants response headers, else the lean one. */
export function sluiceVariant(
  name: string,
  what: string,
  path: FilterPath,
  policy: Record<string, unknown> = {},
  module: FilterModule = "sluice-lean",
): Variant {
  const text = policyText({ response: { headers: "none" }, ...policy });
  return { name, what, filter: wasmFilter(module, path, name, policyJson(text)) };
}

function wasmFilter(module: FilterModule, path: FilterPath, name: string, configuration: string): object {
  const sluice = module.startsWith("sluice");
  const vm = {
    // All listeners with Sluice have one shared data. The lean build serves one policy a VM: another
    // configuration is another VM.
    vm_id: sluice ? "sluice" : module,
    ...(sluice && { configuration: { "@type": STRING, value: name } }),
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

function localRateLimit(rest: object): object {
  const config = { stat_prefix: "bench", token_bucket: LIMIT, filter_enabled: ALWAYS, filter_enforced: ALWAYS };
  return { name: "local_ratelimit", typed_config: { "@type": LOCAL_RATE_LIMIT, ...config, ...rest } };
}

/** A bucket for each session token, made when it is first seen. */
function dynamicLimit(descriptors: number): object {
  return localRateLimit({
    max_dynamic_descriptors: descriptors,
    rate_limits: [{ actions: [{ request_headers: { header_name: "x-session-id", descriptor_key: "session" } }] }],
    descriptors: [{ entries: [{ key: "session" }], token_bucket: LIMIT }],
  });
}

/** The variants of the request path. @param descriptors room of Envoy's own limiter, in sessions */
export function requestPathVariants(descriptors: number, path: FilterPath): Variant[] {
  const probe = (name: string, what: string, module: FilterModule): Variant => {
    return { name, what, filter: wasmFilter(module, path, module, "") };
  };
  const draft = { response: { headers: "draft" } };
  return [
    BARE,
    probe("noop", "one callback that returns", "bench-noop"),
    probe("floor", "header, clock, one get, one set of shared data", "bench-floor"),
    probe("headersProbe", "one callback that adds two response headers", "bench-headers-probe"),
    sluiceVariant("sluice", "Sluice without response headers, lean build", path),
    sluiceVariant("sluiceFull", "Sluice without response headers, full build", path, {}, "sluice"),
    sluiceVariant("sluiceHeaders", "Sluice with its two response headers", path, draft, "sluice"),
    { name: "nativeStatic", what: "local_ratelimit, one bucket for all", filter: localRateLimit({}) },
    { name: "nativeDynamic", what: "local_ratelimit, a descriptor a session", filter: dynamicLimit(descriptors) },
  ];
}
