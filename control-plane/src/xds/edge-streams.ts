// The open streams of all Envoys: who may open one, what each is fed, and how each ends.
import { setImmediate as nextTurn } from "node:timers/promises";
import { status, type ServerDuplexStream, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { bearerCheck, ofEdges } from "../app/credential.js";
import type { PolicyPublisher } from "../app/policy-ports.js";
import type { Logger, Random } from "../app/ports.js";
import { MAX_EDGES, MAX_REASON_CHARS, type Rollout } from "../app/rollout.js";
import { EdgeStream, type EdgeStreamEvents } from "./edge-stream.js";
import { filterResource } from "./filter-resource.js";
import type { DiscoveryRequest, DiscoveryResponse } from "./protos.js";

/** What is worth counting about the streams. */
export type XdsEvent =
  "opened" | "closed" | "pushed" | "accepted" | "refused" | "unauthenticated" | "overloaded" | "invalid" | "failed";

export interface XdsCounters {
  count(event: XdsEvent): void;
}

export interface EdgeStreamsParts {
  readonly policies: PolicyPublisher;
  readonly rollout: Rollout;
  /** Accepted after `Bearer `; two during a rotation. */
  readonly edgeCredentials: readonly string[];
  /** The connection itself has shown a certificate that was asked for: no stream needs a credential then. */
  readonly connectionsAreKnown: boolean;
  /** Where the Envoys, not this process, find the `.wasm` file. */
  readonly filterPath: string;
  readonly logger: Logger;
  readonly random: Random;
  readonly counters: XdsCounters;
  /** Streams at a time, of all Envoys; default 4096, as many edges as the rollout remembers. */
  readonly maxStreams?: number;
}

type Call = ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>;

/** Streams end by themselves when Envoys go, and all at once by `end`. */
export class EdgeStreams {
  private readonly open = new Map<Call, EdgeStream>();
  private readonly maxStreams: number;
  private readonly edgeOf;
  private resource;

  constructor(private readonly options: EdgeStreamsParts) {
    this.maxStreams = options.maxStreams ?? MAX_EDGES;
    this.edgeOf = bearerCheck(ofEdges(options.edgeCredentials));
    this.resource = filterResource(options.policies.published(), options.filterPath);
  }

  aggregatedMethods(): UntypedServiceImplementation {
    return { StreamAggregatedResources: this.serve, DeltaAggregatedResources: this.refuseDelta };
  }

  extensionMethods(): UntypedServiceImplementation {
    return { StreamExtensionConfigs: this.serve, DeltaExtensionConfigs: this.refuseDelta };
  }

  /** Offers the new policy to every stream, with a turn for everything else in between. */
  async policyChanged(): Promise<void> {
    this.resource = filterResource(this.options.policies.published(), this.options.filterPath);
    for (const [call, stream] of [...this.open]) {
      this.guarded(call, () => {
        stream.offer();
      });
      await nextTurn();
    }
  }

  end(): void {
    for (const call of [...this.open.keys()]) this.fail(call, status.UNAVAILABLE, "the control plane is stopping");
  }

  private readonly serve = (call: Call): void => {
    this.opened(call);
  };

  private readonly refuseDelta = (call: Call): void => {
    const details = "delta xDS is not served: use api_type GRPC, not DELTA_GRPC";
    this.refuse(call, "invalid", status.UNIMPLEMENTED, details);
  };

  private opened(call: Call): void {
    if (!this.isEdge(call)) {
      this.refuse(call, "unauthenticated", status.UNAUTHENTICATED, "the edge credential is missing or wrong");
      return;
    }
    if (this.open.size >= this.maxStreams) {
      this.refuse(call, "overloaded", status.RESOURCE_EXHAUSTED, `${this.maxStreams} streams are open`);
      return;
    }
    const stream = this.streamOver(call);
    this.open.set(call, stream);
    this.options.counters.count("opened");
    call.on("data", (request: DiscoveryRequest) => {
      this.guarded(call, () => {
        const refusal = this.open.has(call) ? stream.receive(request) : null;
        if (refusal !== null) this.refuse(call, "invalid", status.INVALID_ARGUMENT, refusal.fault);
      });
    });
    call.on("end", () => {
      this.closed(call);
      call.end();
    });
    // Both come when the connection breaks; the first of all ways to close counts.
    call.on("error", () => {
      this.closed(call);
    });
    call.on("cancelled", () => {
      this.closed(call);
    });
  }

  private isEdge(call: Call): boolean {
    if (this.options.connectionsAreKnown) return true;
    return this.edgeOf(call.metadata.get("authorization")[0]?.toString()) !== undefined;
  }

  private streamOver(call: Call): EdgeStream {
    const { rollout, random } = this.options;
    return new EdgeStream({
      resource: () => this.resource,
      send: (response) => {
        call.write(response);
      },
      rollout,
      random,
      events: this.events(),
    });
  }

  private events(): EdgeStreamEvents {
    const { counters, logger } = this.options;
    return {
      pushed: (edge, { generation, version }) => {
        counters.count("pushed");
        logger.debug({ type: "policy-pushed", edge, generation, version }, "policy pushed");
      },
      accepted: (edge, { generation, version }) => {
        counters.count("accepted");
        logger.info({ type: "policy-accepted", edge, generation, version }, "edge accepted the policy");
      },
      refused: (edge, { generation, version }, words) => {
        counters.count("refused");
        const reason = words.slice(0, MAX_REASON_CHARS);
        const fields = { type: "policy-refused-by-edge", edge, generation, version, reason };
        logger.warn(
          fields,
          "edge refused the policy and keeps its old one; the filter's reason is in that Envoy's log",
        );
      },
    };
  }

  /** A defect met on one stream ends that stream, not the process. */
  private guarded(call: Call, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.options.counters.count("failed");
      this.options.logger.error({ type: "xds-failed", error: String(error) }, "an xDS stream failed");
      this.fail(call, status.INTERNAL, "internal error");
    }
  }

  private refuse(call: Call, event: XdsEvent, code: status, details: string): void {
    this.options.counters.count(event);
    this.options.logger.warn({ type: "xds-refused", peer: call.getPeer(), reason: details }, "xDS stream refused");
    this.fail(call, code, details);
  }

  private fail(call: Call, code: status, details: string): void {
    this.closed(call);
    call.emit("error", { code, details });
  }

  private closed(call: Call): void {
    const stream = this.open.get(call);
    if (stream === undefined) return;
    this.open.delete(call);
    stream.closed();
    this.options.counters.count("closed");
  }
}
