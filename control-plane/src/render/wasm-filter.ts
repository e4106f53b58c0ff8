// The filter as Envoy is configured with it: `envoy.extensions.filters.http.wasm.v3.Wasm`, in Envoy's own JSON.
import { ENV_SECRET, ENV_SECRET_ALSO } from "../../../assembly/contract.js";
import type { EdgeSettings } from "./edge-settings.js";

/** In `http_filters`, and what Envoy asks for where it discovers the filter's configuration. */
export const FILTER_NAME = "sluice";
export const WASM_FILTER_URL = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const STRING_VALUE_URL = "type.googleapis.com/google.protobuf.StringValue";

export interface WasmFilter {
  /** Of the compiled filter, as Envoy sees it. Envoy never loads a name twice: each build has its own. */
  readonly filterPath: string;
  readonly settings: EdgeSettings;
}

/** Without its "@type", which stands outside of it where it travels as a TypedStruct. */
export function wasmFilter({ filterPath, settings }: WasmFilter): object {
  return {
    config: {
      name: FILTER_NAME,
      root_id: FILTER_NAME,
      // A violation in the filter costs one request; the next one finds a new VM and the same sessions.
      failure_policy: "FAIL_RELOAD",
      vm_config: {
        // The session table lives as long as one VM of this id does: always the same, whatever the code.
        vm_id: FILTER_NAME,
        runtime: "envoy.wasm.runtime.v8",
        code: { local: { filename: filterPath } },
        environment_variables: { host_env_keys: [ENV_SECRET, ENV_SECRET_ALSO] },
      },
      configuration: { "@type": STRING_VALUE_URL, value: JSON.stringify(settings) },
    },
  };
}
