// An edge as the protocol has it, without an Envoy: it holds watches, marks what it hears of, and begins anew where it is told to.
import { setTimeout as delay } from "node:timers/promises";

import { NotWatched, WatchingEdge } from "../../../control-plane/test/support/edge-of-planes.js";
import type { Plane } from "../../../control-plane/test/support/planes-over-server.js";
import { networkFailure } from "./recorder.js";
import type { Recorder } from "./recorder.js";

interface Held {
  isLive: boolean;
  /** It has begun anew since it asked. */
  isUnconfirmed: boolean;
  /** What was acknowledged of it may be lost. */
  isDirty: boolean;
  consumed: number;
}

interface Acquired {
  readonly state: "live" | "revoked" | "expired" | "unknown" | "unavailable";
  readonly log: string;
  readonly cursor: number;
}

const AGAIN_MS = 50;
export const NOT_HELD = "a watch is not held";

export class SimulatedEdge {
  private readonly held = new Map<string, Held>();
  /** How often it began anew. */
  begunAnew = 0;
  private readonly at: WatchingEdge;
  private readonly over = new AbortController();
  private readonly running: Promise<void>[] = [];

  /** @param planes it calls the first while that answers, then the next */
  constructor(
    readonly name: string,
    private planes: readonly Plane[],
    private readonly recorder: Recorder,
    /** Whether it reports all that it has once it begins anew, as the filter does. */
    private readonly reportsAgain: boolean,
  ) {
    this.at = new WatchingEdge(name, Buffer.from(name.padEnd(8, ".")).toString("hex").slice(0, 16));
  }

  start(): void {
    this.running.push(this.watchOn(), this.confirmOn());
  }

  async stop(): Promise<void> {
    this.over.abort();
    await Promise.all(this.running);
  }

  /** Asks about a session that it does not hold, or not surely, until it is answered. */
  async acquire(id: string): Promise<void> {
    while (!this.over.signal.aborted && (await this.askOnce(id)) === "again") await delay(AGAIN_MS);
  }

  /** Spends a token of a session that it holds, and reports it. */
  async spend(id: string): Promise<void> {
    const held = this.held.get(id);
    if (held === undefined || !this.serves(id)) return;
    held.consumed += 1;
    await this.report(id, held);
  }

  /** Whether a request of the session would be let through without being asked about. */
  serves(id: string): boolean {
    const held = this.held.get(id);
    return held?.isLive === true && !held.isUnconfirmed;
  }

  /** Asks about a session that was revoked, where it would not have asked: what is answered has to be so by now. */
  async probe(plane: Plane | undefined, id: string): Promise<void> {
    const sentMs = performance.now();
    const answer = plane && (await this.at.acquire(plane, id).catch(() => undefined));
    const { state = "unavailable" } = (answer?.status === 200 ? answer.body : {}) as Partial<Acquired>;
    this.recorder.acquired(this.name, id, state, sentMs);
  }

  /** Whether it has asked and reported anew all that it had to since it began anew. */
  isSettled(): boolean {
    return [...this.held.values()].every(({ isUnconfirmed, isDirty }) => !isUnconfirmed && !isDirty);
  }

  /** Sessions that it serves on, though their revocation was acknowledged. */
  unheard(): string[] {
    const ids = this.recorder.revocations().map(({ id }) => id);
    return ids.filter((id) => this.held.get(id)?.isLive === true);
  }

  private async askOnce(id: string): Promise<"done" | "again"> {
    const plane = this.plane();
    const sentMs = performance.now();
    try {
      const { status, body } = await this.at.acquire(plane, id);
      if (status !== 200) return this.failed(status);
      const { state, log, cursor } = body as Acquired;
      if (state === "unavailable") return this.failed(state);
      this.recorder.acquired(this.name, id, state, sentMs);
      // Of another log, or from before what it has heard: it is asked again.
      if (state === "live" && (log !== this.at.log || cursor < this.at.cursor)) return "again";
      const held = this.held.get(id) ?? { isLive: false, isUnconfirmed: false, isDirty: false, consumed: 0 };
      held.isLive = state === "live" && !this.at.heard.has(id);
      held.isUnconfirmed = false;
      this.held.set(id, held);
      return "done";
    } catch (error) {
      return this.failed(networkFailure(error));
    }
  }

  /** An answer of another log than the edge's is none to the edge, as the rows may be lost with that log. */
  private async report(id: string, held: Held): Promise<void> {
    const { consumed } = held;
    try {
      const { status, body } = await this.at.report(this.plane(), [[id, consumed, consumed, 90_000_000, 0]]);
      if (status !== 200) return void this.failed(status);
      this.recorder.reportedBy(this.name, id, consumed);
      held.isDirty = this.reportsAgain && (body as { log: string }).log !== this.at.log;
    } catch (error) {
      this.failed(networkFailure(error));
    }
  }

  private async watchOn(): Promise<void> {
    while (!this.over.signal.aborted) {
      try {
        const before = this.at.log;
        const { reset, revoked = [] } = await this.at.watch(this.plane(), this.over.signal);
        for (const id of revoked) this.end(id);
        if (reset === true || (before !== undefined && before !== this.at.log)) this.beginAnew();
      } catch (error) {
        this.failed(watchFailure(error));
        await delay(AGAIN_MS);
      }
    }
  }

  private end(id: string): void {
    const held = this.held.get(id);
    if (held !== undefined) held.isLive = false;
  }

  private beginAnew(): void {
    this.begunAnew += 1;
    for (const held of this.held.values()) {
      held.isUnconfirmed = held.isLive;
      held.isDirty = this.reportsAgain && held.consumed > 0;
    }
  }

  /** Sessions that are in use are asked about one after the other. */
  private async confirmOn(): Promise<void> {
    while (!this.over.signal.aborted) {
      for (const [id, held] of [...this.held]) {
        if (held.isDirty) await this.report(id, held);
        if (held.isUnconfirmed) await this.askOnce(id);
      }
      await delay(AGAIN_MS);
    }
  }

  private plane(): Plane {
    const [first] = this.planes;
    if (first === undefined) throw new Error("an edge calls some control plane");
    return first;
  }

  /** As an Envoy's cluster: the next call goes to the next of them. */
  private failed(why: number | string): "again" {
    if (!this.over.signal.aborted) this.recorder.failed(this.name, why);
    const [first, ...others] = this.planes;
    if (first !== undefined) this.planes = [...others, first];
    return "again";
  }
}

/** A watch that is not held is told apart: its edge asks elsewhere, and no call waits for that. */
function watchFailure(error: unknown): number | string {
  if (!(error instanceof NotWatched)) return networkFailure(error);
  return error.status === 503 ? NOT_HELD : error.status;
}
