// One Envoy's discovery stream: what to send it, and what its answers mean. Knows the protocol, not the connection.
import { MAX_EDGE_NAME_BYTES } from "../../../assembly/contract.js";
import type { Random } from "../app/ports.js";
import type { Push, Rollout } from "../app/rollout.js";
import { FILTER_RESOURCE, readVersion, type FilterResource } from "./filter-resource.js";
import { EXTENSION_CONFIG_URL, type DiscoveryRequest, type DiscoveryResponse } from "./protos.js";

/** 64 random bits never repeat within the life of an Envoy, over all restarts of this server. */
const REVISION_BYTES = 8;

export interface EdgeStreamEvents {
  pushed(edge: string, push: Push): void;
  accepted(edge: string, push: Push): void;
  refused(edge: string, push: Push, reason: string): void;
}

export interface EdgeStreamParts {
  /** The content to serve now. */
  resource(): FilterResource;
  send(response: DiscoveryResponse): void;
  readonly rollout: Rollout;
  readonly random: Random;
  readonly events: EdgeStreamEvents;
}

/**
 * State of the world, one resource a response, at most one response unanswered: a slow Envoy is sent the newest policy
 * once it has answered, and nothing piles up for it.
 *
 * Envoy acknowledges bytes that it refused before, without applying them. So each push has its own revision in its
 * bytes and its version, also when the same policy is sent again after a reconnect; and content that this stream's
 * Envoy refused is not sent again on it.
 */
export class EdgeStream {
  private edge: string | null = null;
  private subscribed = false;
  /** The last push; its revision is the response's nonce. */
  private last: (Push & { readonly nonce: string; readonly versionPrefix: string }) | null = null;
  private waiting = false;
  /** Content that this Envoy has answered for, with yes or no, and is not to be sent again. */
  private settledPrefix: string | null = null;

  constructor(private readonly parts: EdgeStreamParts) {}

  /** Takes a request and answers it as far as it can be now. A fault says why the stream must end. */
  receive(request: DiscoveryRequest): { readonly fault: string } | null {
    if (this.edge === null) {
      const name = request.node?.id ?? "";
      const fault = edgeNameFault(name);
      if (fault !== null) return { fault };
      this.edge = name;
      this.parts.rollout.connected(name);
    }
    // Envoy may ask this server for other things as well; silence lets it carry on.
    if (request.type_url !== EXTENSION_CONFIG_URL) return null;
    // An answer to an older response: the one to the last is still to come, and repeats what is asked for.
    if (request.response_nonce !== (this.last?.nonce ?? "")) return null;
    if (this.waiting) this.settle(this.edge, request);
    this.subscribe(this.edge, request);
    this.offer();
    return null;
  }

  /** Sends the content if this Envoy asked for it, has answered all before, and has not answered for it yet. */
  offer(): void {
    if (this.edge === null || !this.subscribed || this.waiting) return;
    const resource = this.parts.resource();
    if (resource.versionPrefix === this.settledPrefix) return;
    const nonce = Buffer.from(this.parts.random.bytes(REVISION_BYTES)).toString("hex");
    const version = resource.versionPrefix + nonce;
    this.last = { generation: resource.generation, version, nonce, versionPrefix: resource.versionPrefix };
    this.waiting = true;
    const resources = [resource.encode(nonce)];
    this.parts.send({ version_info: version, resources, type_url: EXTENSION_CONFIG_URL, nonce });
    this.parts.rollout.sent(this.edge, this.last, resource.policyHash(nonce));
    this.parts.events.pushed(this.edge, this.last);
  }

  closed(): void {
    if (this.edge !== null) this.parts.rollout.disconnected(this.edge);
    this.edge = null;
  }

  /** Judges the first answer to the last push. A later one that says otherwise is not listened to. */
  private settle(edge: string, answer: DiscoveryRequest): void {
    const push = this.last;
    if (push === null) return;
    this.waiting = false;
    this.settledPrefix = push.versionPrefix;
    if (answer.error_detail === null && answer.version_info === push.version) {
      this.parts.rollout.accepted(edge, push.generation);
      this.parts.events.accepted(edge, push);
      return;
    }
    const reason = answer.error_detail?.message ?? `answered with version "${answer.version_info}"`;
    this.parts.rollout.refused(edge, push, reason);
    this.parts.events.refused(edge, push, reason);
  }

  private subscribe(edge: string, request: DiscoveryRequest): void {
    const before = this.subscribed;
    this.subscribed = request.resource_names.includes(FILTER_RESOURCE);
    if (!this.subscribed || before) return;
    // Who unsubscribed has dropped the resource, so its version says nothing; on a new stream it tells what is live.
    this.settledPrefix = this.last === null ? this.contentHeld(edge, request.version_info) : null;
  }

  /** The content that an Envoy runs according to its first request, if that is the present one. */
  private contentHeld(edge: string, version: string): string | null {
    const { rollout } = this.parts;
    const claim = readVersion(version);
    if (claim === null || version === rollout.edge(edge)?.refusal?.version) return null;
    const resource = this.parts.resource();
    if (!version.startsWith(resource.versionPrefix)) {
      rollout.claimed(edge, claim.generation);
      return null;
    }
    rollout.recognised(edge, claim.generation, resource.policyHash(claim.revision));
    rollout.accepted(edge, claim.generation);
    return resource.versionPrefix;
  }
}

function edgeNameFault(name: string): string | null {
  if (name === "") return "node.id is empty: set node.id in Envoy's bootstrap, it names the edge";
  if (Buffer.byteLength(name) > MAX_EDGE_NAME_BYTES) return `node.id is longer than ${MAX_EDGE_NAME_BYTES} bytes`;
  return null;
}
