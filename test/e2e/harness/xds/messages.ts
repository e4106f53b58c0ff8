// What a management server sends, as bytes: the discovery protocol's messages, from the proto files of @grpc/grpc-js-xds.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { ServiceDefinition as GrpcService } from "@grpc/grpc-js";
import { type AnyDefinition, loadSync, type MessageTypeDefinition, type ServiceDefinition } from "@grpc/proto-loader";

/** `google.protobuf.Any`, left packed. */
export interface PackedAny {
  readonly type_url: string;
  readonly value: Uint8Array;
}

/** `DiscoveryRequest` as decoded: absent messages are null, absent strings empty. */
export interface DiscoveryRequest {
  readonly resource_names: readonly string[];
  readonly type_url: string;
  readonly response_nonce: string;
  readonly error_detail: { readonly message: string } | null;
}

export interface DiscoveryResponse {
  readonly version_info: string;
  readonly resources: readonly PackedAny[];
  readonly type_url: string;
  readonly nonce: string;
}

export interface Resource {
  readonly name: string;
  readonly packed: PackedAny;
}

/** What JSON can say. */
type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

const TYPES = {
  listener: "envoy.config.listener.v3.Listener",
  cluster: "envoy.config.cluster.v3.Cluster",
  extension: "envoy.config.core.v3.TypedExtensionConfig",
} as const;
export type ResourceKind = keyof typeof TYPES;
const TYPED_STRUCT = "xds.type.v3.TypedStruct";

export const typeUrlOf = (kind: ResourceKind): string => `type.googleapis.com/${TYPES[kind]}`;

// The library keeps Envoy's proto files here and names no entry point for them: its manifest leads the way.
const deps = join(dirname(createRequire(import.meta.url).resolve("@grpc/grpc-js-xds/package.json")), "deps");

const definitions = loadSync(
  [
    "envoy/service/discovery/v3/ads.proto",
    "envoy/config/listener/v3/listener.proto",
    "envoy/config/cluster/v3/cluster.proto",
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

export const aggregatedService = defined(
  "envoy.service.discovery.v3.AggregatedDiscoveryService",
) as ServiceDefinition as GrpcService;

function pack(type: string, value: object): PackedAny {
  const { serialize } = defined(type) as MessageTypeDefinition<object, object>;
  return { type_url: `type.googleapis.com/${type}`, value: serialize(value) };
}

/** @param value as Envoy's JSON has it; what it holds of type Any is made by `typed` */
export function resource(kind: ResourceKind, name: string, value: object): Resource {
  return { name, packed: pack(TYPES[kind], { name, ...value }) };
}

/** A message of any type that Envoy knows, in its JSON: Envoy reads it with its own definition, not with ours. */
export function typed(typeUrl: string, value: JsonObject): PackedAny {
  return pack(TYPED_STRUCT, { type_url: typeUrl, value: structOf(value) });
}

const structOf = (value: JsonObject): object => ({
  fields: Object.fromEntries(Object.entries(value).map(([key, field]) => [key, valueOf(field)])),
});

// The loader spells Struct's own fields in camel case, whatever its option for case says.
function valueOf(value: Json): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "number") return { numberValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return isList(value) ? { listValue: { values: value.map(valueOf) } } : { structValue: structOf(value) };
}

const isList = (value: readonly Json[] | JsonObject): value is readonly Json[] => Array.isArray(value);
