// The rollout: which edge was sent, runs or refused which generation of the policy. Memory only, and bounded.
import { GONE_AFTER_MS } from "./edge-instances.js";
import type { Clock } from "./ports.js";

/** Past this many, edges that are gone are forgotten, the longest gone first. */
export const MAX_EDGES = 4096;
/** What is kept and logged of an Envoy's words, which may be as long as a gRPC message. */
export const MAX_REASON_CHARS = 1000;
/** Pushes of an edge whose hashes are remembered: one that runs an older policy than these runs none that is known. */
const MAX_PUSHED = 8;

/** One response to one Envoy. `version` is never used twice, because its revision is random. */
export interface Push {
  readonly generation: number;
  readonly version: string;
}

export interface Refusal extends Push {
  /** Envoy's words; the filter's own reason stands in that Envoy's log. */
  readonly reason: string;
  readonly atMs: number;
}

/** A policy as one push carried it, named as the filter names what it runs. */
export interface PushedPolicy {
  readonly generation: number;
  readonly policyHash: string;
}

/** What is known of one edge by its streams. What the filter says that it runs outweighs this (edges.ts). */
export interface EdgeRollout {
  /** `node.id` of the Envoy. */
  readonly edge: string;
  /** More than one while Envoy hot restarts. */
  readonly streams: number;
  /** When the last of them ended, monotonic ms; null while there is one. */
  readonly leftAtMs: number | null;
  /** waiting: sent and not yet answered. refused: the last push was, and `running` keeps serving. */
  readonly state: "unknown" | "waiting" | "running" | "refused";
  /** Generation last accepted; null where the edge has accepted none, as far as is known. */
  readonly running: number | null;
  /** When that was, ms since the epoch. */
  readonly acceptedAtMs: number | null;
  readonly sent: Push | null;
  /** What it was sent, the newest last, refused pushes too. */
  readonly pushed: readonly PushedPolicy[];
  /** The last refusal, until a later push is accepted. */
  readonly refusal: Refusal | null;
}

const newcomer = (edge: string): EdgeRollout => ({
  edge,
  streams: 0,
  leftAtMs: null,
  state: "unknown",
  running: null,
  acceptedAtMs: null,
  sent: null,
  pushed: [],
  refusal: null,
});

export class Rollout {
  /** Gone edges move to the end when they go, so among them the longest gone comes first. */
  private readonly byEdge = new Map<string, EdgeRollout>();

  constructor(
    private readonly clock: Clock,
    private readonly maxEdges: number = MAX_EDGES,
  ) {}

  /** Those with a stream, and those that had one within the last minutes. */
  edges(): EdgeRollout[] {
    const nowMs = this.clock.monotonicMs();
    return [...this.byEdge.values()].filter(({ leftAtMs }) => leftAtMs === null || nowMs - leftAtMs < GONE_AFTER_MS);
  }

  /** Of one that is gone for longer too: it may come back, and say that it runs what it refused. */
  edge(name: string): EdgeRollout | undefined {
    return this.byEdge.get(name);
  }

  connected(name: string): void {
    if (!this.byEdge.has(name)) this.makeRoom();
    const known = this.byEdge.get(name) ?? newcomer(name);
    this.byEdge.set(name, { ...known, streams: known.streams + 1, leftAtMs: null });
  }

  disconnected(name: string): void {
    const known = this.byEdge.get(name);
    if (known === undefined) return;
    const streams = Math.max(0, known.streams - 1);
    const leftAtMs = streams === 0 ? this.clock.monotonicMs() : null;
    if (streams === 0) this.byEdge.delete(name);
    this.byEdge.set(name, { ...known, streams, leftAtMs });
  }

  sent(name: string, push: Push, policyHash: string): void {
    this.recognised(name, push.generation, policyHash);
    this.change(name, { sent: push, state: "waiting" });
  }

  /** The edge was sent this, maybe by an earlier process. */
  recognised(name: string, generation: number, policyHash: string): void {
    const pushed = [...(this.byEdge.get(name)?.pushed ?? []), { generation, policyHash }];
    this.change(name, { pushed: pushed.slice(-MAX_PUSHED) });
  }

  /** The edge took what it was last sent, or says on a new stream that it runs the newest content already. */
  accepted(name: string, generation: number): void {
    const acceptedAtMs = this.clock.nowMs();
    this.change(name, { running: generation, acceptedAtMs, refusal: null, state: "running" });
  }

  /** The edge says on a new stream that it runs an older generation. A refusal since then still stands. */
  claimed(name: string, generation: number): void {
    this.change(name, { running: generation });
  }

  refused(name: string, push: Push, reason: string): void {
    const refusal = { ...push, reason: reason.slice(0, MAX_REASON_CHARS), atMs: this.clock.nowMs() };
    this.change(name, { refusal, state: "refused" });
  }

  private change(name: string, fields: Partial<EdgeRollout>): void {
    const known = this.byEdge.get(name);
    if (known !== undefined) this.byEdge.set(name, { ...known, ...fields });
  }

  private makeRoom(): void {
    if (this.byEdge.size < this.maxEdges) return;
    for (const [name, known] of this.byEdge) {
      if (known.streams > 0) continue;
      this.byEdge.delete(name);
      return;
    }
  }
}
