// The discovery protocol's messages: loads the proto files and gives what this server uses of them types.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { ServiceDefinition as GrpcService } from "@grpc/grpc-js";
import { loadSync, type AnyDefinition, type MessageTypeDefinition, type ServiceDefinition } from "@grpc/proto-loader";

/** `google.protobuf.Any`, left packed. */
export interface PackedAny {
  type_url: string;
  value: Uint8Array;
}

/** `envoy.service.discovery.v3.DiscoveryRequest`, as decoded: absent messages are null, absent strings empty. */
export interface DiscoveryRequest {
  version_info: string;
  node: { id: string } | null;
  resource_names: string[];
  type_url: string;
  response_nonce: string;
  error_detail: { code: number; message: string } | null;
}

/** `envoy.service.discovery.v3.DiscoveryResponse`. */
export interface DiscoveryResponse {
  version_info: string;
  resources: PackedAny[];
  type_url: string;
  nonce: string;
}

/** What a `google.protobuf.Struct` can be made of here. */
export type StructValue = string | readonly StructValue[] | { readonly [key: string]: StructValue };

const AGGREGATED = "envoy.service.discovery.v3.AggregatedDiscoveryService";
const EXTENSION_CONFIGS = "envoy.service.extension.v3.ExtensionConfigDiscoveryService";
const EXTENSION_CONFIG = "envoy.config.core.v3.TypedExtensionConfig";
const TYPED_STRUCT = "xds.type.v3.TypedStruct";

export const EXTENSION_CONFIG_URL = `type.googleapis.com/${EXTENSION_CONFIG}`;

// The library keeps Envoy's proto files here; it names no entry point for them, so its manifest leads the way.
const deps = join(dirname(createRequire(import.meta.url).resolve("@grpc/grpc-js-xds/package.json")), "deps");

const definitions = loadSync(
  [
    "envoy/service/discovery/v3/ads.proto",
    "envoy/service/extension/v3/config_discovery.proto",
    "envoy/config/core/v3/extension.proto",
    "xds/type/v3/typed_struct.proto",
  ],
  {
    keepCase: true,
    defaults: true,
    includeDirs: ["envoy-api", "xds", "googleapis", "protoc-gen-validate"].map((folder) => join(deps, folder)),
  },
);

function defined(name: string): AnyDefinition {
  const definition = definitions[name];
  if (definition === undefined) throw new Error(`the proto files of @grpc/grpc-js-xds lack ${name}`);
  return definition;
}

const message = (name: string): MessageTypeDefinition<object, object> =>
  defined(name) as MessageTypeDefinition<object, object>;

/** The aggregated discovery service, as the gRPC server and a client both take it. */
export const aggregatedService = defined(AGGREGATED) as ServiceDefinition as GrpcService;

/** The service for extensions alone: for an Envoy whose aggregated one is another's, as in a mesh. */
export const extensionService = defined(EXTENSION_CONFIGS) as ServiceDefinition as GrpcService;

/**
 * Packs an extension's configuration for Envoy. It travels as a TypedStruct, so that Envoy reads it with its own
 * definition of `typeUrl` and not with this library's older one.
 */
export function packExtensionConfig(name: string, typeUrl: string, value: { [key: string]: StructValue }): PackedAny {
  const typedStruct = message(TYPED_STRUCT).serialize({ type_url: typeUrl, value: toStruct(value) });
  const config = { name, typed_config: { type_url: `type.googleapis.com/${TYPED_STRUCT}`, value: typedStruct } };
  return { type_url: EXTENSION_CONFIG_URL, value: message(EXTENSION_CONFIG).serialize(config) };
}

function toStruct(value: { readonly [key: string]: StructValue }): object {
  const fields = Object.entries(value).map(([key, field]) => [key, toValue(field)] as const);
  return { fields: Object.fromEntries(fields) };
}

// The loader spells Struct's own fields in camel case, whatever it was told about case.
function toValue(value: StructValue): object {
  if (typeof value === "string") return { stringValue: value };
  if (isList(value)) return { listValue: { values: value.map(toValue) } };
  return { structValue: toStruct(value) };
}

const isList = (value: StructValue): value is readonly StructValue[] => Array.isArray(value);
