// The file that a plain Envoy follows for the filter: a discovery response with one resource, replaced by a rename.
import { createHash } from "node:crypto";
import { FILTER_NAME, WASM_FILTER_URL, wasmFilter, type WasmFilter } from "./wasm-filter.js";

const EXTENSION_CONFIG_URL = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
const TYPED_STRUCT_URL = "type.googleapis.com/xds.type.v3.TypedStruct";
const VERSION_CHARS = 12;

/** What `config_discovery.config_source.path_config_source` reads. The version is made from the content. */
export function ecdsFile(filter: WasmFilter): object {
  const resource = {
    "@type": EXTENSION_CONFIG_URL,
    name: FILTER_NAME,
    typed_config: { "@type": TYPED_STRUCT_URL, type_url: WASM_FILTER_URL, value: wasmFilter(filter) },
  };
  const version = createHash("sha256").update(JSON.stringify(resource)).digest("hex").slice(0, VERSION_CHARS);
  return { version_info: version, resources: [resource] };
}
