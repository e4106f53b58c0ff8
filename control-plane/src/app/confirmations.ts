// Which edges have passed a place in the invalidation log, and who waits for them to.
import type { EdgeInstances } from "./edge-instances.js";
import type { Timers } from "./log-ports.js";
import type { LogPosition } from "./ports.js";
import type { Watches } from "./watches.js";

/** Edges by name. One is confirmed when each of its instances that is not gone has said that its table is marked. */
export interface Confirmed {
  readonly edges: number;
  readonly confirmed: number;
  /** Names of the others, sorted. */
  readonly pending: readonly string[];
}

/** A confirmation takes a round trip. */
const LOOK_EVERY_MS = 20;

/** Of the edges that this process has heard of. */
export class Confirmations {
  constructor(
    private readonly instances: Pick<EdgeInstances, "known">,
    private readonly watches: Pick<Watches, "lastOf">,
    private readonly timers: Timers,
  ) {}

  /** How it stands at this moment. */
  standing({ log, cursor }: LogPosition): Confirmed {
    const pending = new Set<string>();
    const edges = new Set<string>();
    // The age of reports does not matter here.
    for (const instance of this.instances.known(0)) {
      edges.add(instance.edge);
      const last = this.watches.lastOf(instance);
      if (last?.log !== log || last.since < cursor) pending.add(instance.edge);
    }
    return { edges: edges.size, confirmed: edges.size - pending.size, pending: [...pending].sort() };
  }

  /** Resolves as soon as no edge is pending, or with how it stands at the timeout, or once the signal aborts. */
  wait(position: LogPosition, timeoutMs: number, signal?: AbortSignal): Promise<Confirmed> {
    return new Promise((resolve) => {
      let cancel = (): void => undefined;
      const end = (): void => {
        cancel();
        signal?.removeEventListener("abort", end);
        resolve(this.standing(position));
      };
      const look = (leftMs: number): void => {
        if (leftMs <= 0 || signal?.aborted === true || this.standing(position).pending.length === 0) {
          end();
          return;
        }
        const ms = Math.min(LOOK_EVERY_MS, leftMs);
        cancel = this.timers.after(ms, () => {
          look(leftMs - ms);
        });
      };
      signal?.addEventListener("abort", end);
      look(timeoutMs);
    });
  }
}
