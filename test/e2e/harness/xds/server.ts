// A management server as a mesh has one: listeners, clusters and extensions over one aggregated stream an Envoy.
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import {
  aggregatedService,
  type DiscoveryRequest,
  type DiscoveryResponse,
  type Resource,
  type ResourceKind,
  typeUrlOf,
} from "./messages.js";

type Stream = ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>;

interface Offer {
  readonly version: number;
  readonly resources: readonly Resource[];
}

export interface Rejection {
  readonly typeUrl: string;
  readonly message: string;
}

export class XdsServer {
  /** What Envoys did not take, in Envoy's words. */
  readonly rejections: Rejection[] = [];
  private readonly offers = new Map<string, Offer>();
  private readonly acknowledged = new Map<string, number>();
  /** Of each stream, by type: what it asks for. */
  private readonly streams = new Map<Stream, Map<string, readonly string[]>>();
  private readonly server = new Server();

  private constructor(readonly port: number) {}

  /** On 127.0.0.1. */
  static async listen(port: number): Promise<XdsServer> {
    const one = new XdsServer(port);
    one.server.addService(aggregatedService, {
      StreamAggregatedResources: (stream: Stream) => {
        one.opened(stream);
      },
    });
    await new Promise<void>((resolve, reject) => {
      one.server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
    return one;
  }

  /** From now on these are all that there are of this kind. */
  offer(kind: ResourceKind, resources: readonly Resource[]): void {
    const typeUrl = typeUrlOf(kind);
    this.offers.set(typeUrl, { version: (this.offers.get(typeUrl)?.version ?? 0) + 1, resources });
    for (const [stream, asked] of this.streams) if (asked.has(typeUrl)) this.send(stream, typeUrl);
  }

  /** Whether an Envoy has acknowledged what was offered last. That it took it is another matter. */
  isAcknowledged(kind: ResourceKind): boolean {
    const typeUrl = typeUrlOf(kind);
    return this.acknowledged.get(typeUrl) === this.offers.get(typeUrl)?.version;
  }

  close(): void {
    this.server.forceShutdown();
  }

  private opened(stream: Stream): void {
    this.streams.set(stream, new Map());
    stream.on("data", (request: DiscoveryRequest) => {
      this.asked(stream, request);
    });
    const ended = (): void => void this.streams.delete(stream);
    stream.on("error", ended);
    stream.on("end", () => {
      ended();
      stream.end();
    });
  }

  private asked(stream: Stream, request: DiscoveryRequest): void {
    const { type_url: typeUrl, resource_names: names, response_nonce: nonce, error_detail: error } = request;
    const asked = this.streams.get(stream);
    const before = asked?.get(typeUrl);
    asked?.set(typeUrl, names);
    if (error !== null) this.rejections.push({ typeUrl, message: error.message });
    else if (nonce !== "") this.acknowledged.set(typeUrl, Number(nonce));
    if (before === undefined || before.join() !== names.join()) this.send(stream, typeUrl);
  }

  /** Listeners and clusters are asked for without a name: all of them. */
  private send(stream: Stream, typeUrl: string): void {
    const offer = this.offers.get(typeUrl);
    if (offer === undefined) return;
    const names = this.streams.get(stream)?.get(typeUrl) ?? [];
    const wanted = offer.resources.filter(({ name }) => names.length === 0 || names.includes(name));
    const version = String(offer.version);
    const resources = wanted.map(({ packed }) => packed);
    stream.write({ version_info: version, nonce: version, type_url: typeUrl, resources });
  }
}
