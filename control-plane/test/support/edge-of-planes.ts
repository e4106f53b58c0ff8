// An edge that speaks the edge protocol with any control plane: what its next watch begins from, and what it has heard.
import type { Answered, Plane } from "./planes-over-server.js";

export interface WatchAnswer {
  readonly log: string;
  readonly cursor: number;
  readonly reset?: boolean;
  readonly revoked?: readonly string[];
}

export class NotWatched extends Error {
  constructor(
    readonly status: number,
    body: unknown,
  ) {
    super(`a watch was answered ${status} ${JSON.stringify(body)}`);
  }
}

/** A control plane, or what stands in front of several. */
type Called = Pick<Plane, "edge">;

export class WatchingEdge {
  log: string | undefined;
  cursor = 0;
  readonly heard = new Set<string>();
  resets = 0;

  constructor(
    readonly edge: string,
    readonly instance: string,
  ) {}

  /** It takes what is answered. A watch is answered by the policy first where it offers to follow one: this one does not. */
  async watch(plane: Called, signal?: AbortSignal): Promise<WatchAnswer> {
    const { edge, instance, log, cursor } = this;
    const asked = { edge, instance, since: cursor, follow: false, ...(log === undefined ? {} : { log }) };
    const { status, body } = await plane.edge("watch", asked, signal);
    if (status !== 200) throw new NotWatched(status, body);
    const said = body as WatchAnswer;
    if (said.reset === true) this.resets += 1;
    for (const id of said.revoked ?? []) this.heard.add(id);
    this.log = said.log;
    this.cursor = said.cursor;
    return said;
  }

  acquire(plane: Called, session: string): Promise<Answered> {
    return plane.edge("acquire", { edge: this.edge, instance: this.instance, session });
  }

  report(plane: Called, usage: readonly unknown[], worker = "0123456789abcdef"): Promise<Answered> {
    return plane.edge("report", { edge: this.edge, instance: this.instance, worker, usage, more: false });
  }
}

/** Holds watches one after the other, until the signal ends. What fails is tried again a moment later, at the next of the planes. */
export async function follow(edge: WatchingEdge, planes: readonly Called[], signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted;) {
    const plane = planes[turn % planes.length];
    if (plane === undefined) return;
    try {
      await edge.watch(plane, signal);
    } catch {
      turn += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
