// The one resource that is served: the filter's Wasm configuration with the policy inside.
import { createHash } from "node:crypto";
import { ENV_SECRET, ENV_SECRET_ALSO, POLICY_HASH_CHARS } from "../../../assembly/contract.js";
import type { PublishedPolicy } from "../app/policy-ports.js";
import { packExtensionConfig, type PackedAny } from "./protos.js";

/** The name under which Envoy asks for the filter: `http_filters[].name` in its listener. */
export const FILTER_RESOURCE = "sluice";
const WASM_FILTER_URL = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const STRING_VALUE_URL = "type.googleapis.com/google.protobuf.StringValue";
const CONTENT_CHARS = 12;

/** What an Envoy is sent for one policy; a new one is made when the policy changes. */
export interface FilterResource {
  readonly generation: number;
  /** Begins the version of every push of this content, whatever its revision: `7.9f86d081884c.` */
  readonly versionPrefix: string;
  /** The resource as one push carries it. No two pushes may share a revision. */
  encode(revision: string): PackedAny;
  /** By which an edge names the policy of that push once it runs it. */
  policyHash(revision: string): string;
}

/**
 * @param filterPath where the Envoys find the `.wasm` file. Envoy reloads code when a byte of the resource changes,
 *   never because the file did: another build needs another path.
 */
export function filterResource(policy: PublishedPolicy, filterPath: string): FilterResource {
  const encode = (revision: string): PackedAny =>
    packExtensionConfig(FILTER_RESOURCE, WASM_FILTER_URL, wasmFilter(filterPath, policy.pushedJson(revision)));
  // The hash covers the path and the shape below too, so an Envoy that holds an older build's resource is sent this.
  const content = createHash("sha256").update(encode("").value).digest("hex").slice(0, CONTENT_CHARS);
  const policyHash = (revision: string): string => hashOfPolicy(policy.pushedJson(revision));
  return {
    generation: policy.generation,
    versionPrefix: `${String(policy.generation)}.${content}.`,
    encode,
    policyHash,
  };
}

/** What a version of this server names; null for a version of another making. */
export function readVersion(version: string): { readonly generation: number; readonly revision: string } | null {
  const [, generation, revision] = /^(\d{1,16})\.[0-9a-f]{12}\.([0-9a-f]+)$/.exec(version) ?? [];
  return generation === undefined || revision === undefined ? null : { generation: Number(generation), revision };
}

/** Over the exact bytes that the filter is configured with (docs/edge-protocol.md). */
const hashOfPolicy = (pushedJson: string): string =>
  createHash("sha256").update(pushedJson).digest("hex").slice(0, POLICY_HASH_CHARS);

// Envoy's default configuration must use the same vm_id: the session table lives as long as a VM of that id does.
const wasmFilter = (filterPath: string, policyJson: string) => ({
  config: {
    name: "sluice",
    root_id: "sluice",
    failure_policy: "FAIL_RELOAD",
    vm_config: {
      vm_id: "sluice",
      runtime: "envoy.wasm.runtime.v8",
      code: { local: { filename: filterPath } },
      environment_variables: { host_env_keys: [ENV_SECRET, ENV_SECRET_ALSO] },
    },
    configuration: { "@type": STRING_VALUE_URL, value: policyJson },
  },
});
