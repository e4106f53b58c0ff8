// An Envoy's side of the discovery protocol, for tests: one stream whose messages can be sent and awaited one by one.
import {
  credentials,
  makeGenericClientConstructor,
  Metadata,
  type ChannelCredentials,
  type ClientDuplexStream,
} from "@grpc/grpc-js";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import {
  aggregatedService,
  extensionService,
  EXTENSION_CONFIG_URL,
  type DiscoveryRequest,
  type DiscoveryResponse,
} from "../../src/xds/protos.js";

/** What an Envoy may ask for too, and nobody answers. */
export const CLUSTER_TYPE = "type.googleapis.com/envoy.config.cluster.v3.Cluster";

export type StreamEnd = { readonly code: number; readonly details: string };
type Stream = ClientDuplexStream<Partial<DiscoveryRequest>, DiscoveryResponse>;

export type StreamMethod =
  "StreamAggregatedResources" | "DeltaAggregatedResources" | "StreamExtensionConfigs" | "DeltaExtensionConfigs";

const services = { ...aggregatedService, ...extensionService };
const Client = makeGenericClientConstructor(services, "Discovery");

export class EnvoyStream {
  private readonly client;
  private readonly stream: Stream;
  private readonly arrived: DiscoveryResponse[] = [];
  private wake: () => void = () => undefined;
  readonly ended: Promise<StreamEnd>;

  constructor(
    port: number,
    private readonly authorization: string | null,
    private readonly node = "gw-1",
    method: StreamMethod = "StreamAggregatedResources",
    channel: ChannelCredentials = credentials.createInsecure(),
  ) {
    this.client = new Client(`127.0.0.1:${port}`, channel);
    const metadata = new Metadata();
    if (this.authorization !== null) metadata.set("authorization", this.authorization);
    const open = this.client[method] as unknown as (metadata: Metadata) => Stream;
    this.stream = open.call(this.client, metadata);
    this.stream.on("data", (response: DiscoveryResponse) => {
      this.arrived.push(response);
      this.wake();
    });
    this.ended = new Promise((resolve) => {
      this.stream.on("error", () => undefined);
      this.stream.on("status", resolve);
    });
  }

  send(request: Partial<DiscoveryRequest>): void {
    this.stream.write({ node: { id: this.node }, ...request });
  }

  /** The first request of a stream; `version` is what an Envoy accepted on an earlier one. */
  subscribe(version = ""): void {
    this.send({ type_url: EXTENSION_CONFIG_URL, resource_names: ["sluice"], version_info: version });
  }

  /** Accepts the response, or says what an Envoy says that runs `version` and did not take it. */
  answer(response: DiscoveryResponse, refusal?: { version: string; message: string }): void {
    this.send({
      type_url: EXTENSION_CONFIG_URL,
      resource_names: ["sluice"],
      version_info: refusal?.version ?? response.version_info,
      response_nonce: response.nonce,
      error_detail: refusal === undefined ? null : { code: 13, message: refusal.message },
    });
  }

  async next(): Promise<DiscoveryResponse> {
    for (;;) {
      const response = this.arrived.shift();
      if (response !== undefined) return response;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** How many responses arrived and were not taken. */
  get untaken(): number {
    return this.arrived.length;
  }

  close(): void {
    this.stream.cancel();
    this.client.close();
  }
}

const deps = join(dirname(createRequire(import.meta.url).resolve("@grpc/grpc-js-xds/package.json")), "deps");
const definitions = loadSync(["envoy/config/core/v3/extension.proto", "xds/type/v3/typed_struct.proto"], {
  keepCase: true,
  includeDirs: ["envoy-api", "xds", "googleapis", "protoc-gen-validate"].map((folder) => join(deps, folder)),
});
const decode = (name: string, bytes: Uint8Array): object =>
  (definitions[name] as MessageTypeDefinition<object, object>).deserialize(Buffer.from(bytes));

/** The extension configuration inside a response's first resource, with its Struct as plain JSON. */
export function extensionConfig(response: DiscoveryResponse): { name: string; typeUrl: string; value: unknown } {
  const [resource] = response.resources;
  if (resource === undefined) throw new Error("the response holds no resource");
  const config = decode("envoy.config.core.v3.TypedExtensionConfig", resource.value) as {
    name: string;
    typed_config: { type_url: string; value: Uint8Array };
  };
  if (config.typed_config.type_url !== "type.googleapis.com/xds.type.v3.TypedStruct") {
    throw new Error(`a ${config.typed_config.type_url} where a TypedStruct should be`);
  }
  const struct = decode("xds.type.v3.TypedStruct", config.typed_config.value) as { type_url: string; value: Fields };
  return { name: config.name, typeUrl: struct.type_url, value: plain({ structValue: struct.value }) };
}

interface Fields {
  fields: Record<string, Value>;
}
interface Value {
  stringValue?: string;
  structValue?: Fields;
  listValue?: { values: Value[] };
}

function plain(value: Value): unknown {
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.listValue !== undefined) return value.listValue.values.map(plain);
  const entries = Object.entries(value.structValue?.fields ?? {});
  return Object.fromEntries(entries.map(([key, field]) => [key, plain(field)]));
}
