// Which edges have reached a cursor in the invalidation log, and who waits for them to.
import type { LogPosition } from "../../domain/stored.js";
import { doubleOfTwo } from "./status/double-edges.js";
import type { EdgeRegistry } from "./status/edge-registry.js";
import type { KnownInstance } from "./status/registry-entry.js";
import type { OtherProcesses } from "./processes/other-processes.js";
import type { Timers } from "../ports/log-ports.js";

/** Edges by name. One is confirmed when each of its instances that is not gone has said that its table is marked. */
export interface Confirmed {
  readonly edges: number;
  readonly confirmed: number;
  /** Names of the others, sorted. */
  readonly pending: readonly string[];
}

/**
 * Of the edges that are known: one that was cut off since before its start is not known, and one that is gone asks anew
 * about each of its sessions when it comes back.
 */
export class Confirmations {
  constructor(
    private readonly registry: Pick<EdgeRegistry, "known" | "onWatched" | "windowMs">,
    private readonly timers: Timers,
    /** Processes that edges may say it to as well. Undefined: there are none. */
    private readonly others?: Pick<OtherProcesses, "hurry" | "heardAll">,
  ) {}

  /** How it stands by what is known at this moment. */
  status({ log, cursor }: LogPosition): Confirmed {
    const pending = new Set<string>();
    const edges = new Set<string>();
    // The age of reports does not matter here.
    const known = this.registry.known(0);
    const watched = watchingByEdge(known);
    const windowMs = this.registry.windowMs();
    for (const instance of known) {
      const { edge, lastWatch, watching, silentMs } = instance;
      edges.add(edge);
      if (!watching && silentMs > windowMs && isFormerLife(instance, watched.get(edge))) continue;
      if (lastWatch?.log !== log || lastWatch.since < cursor) pending.add(edge);
    }
    return { edges: edges.size, confirmed: edges.size - pending.size, pending: [...pending].sort() };
  }

  /**
   * Resolves as soon as no edge is pending, or with how it stands at the timeout, which may be 0, or once the signal aborts. Not before
   * all is known that other processes had stored when it was called: an edge that got a session there is among those.
   * @throws (a rejection) where that cannot be read
   */
  async wait(position: LogPosition, timeoutMs: number, signal?: AbortSignal): Promise<Confirmed> {
    const over = new AbortController();
    const end = (): void => {
      over.abort();
    };
    if (timeoutMs <= 0) end();
    const cancelTimer = this.timers.after(Math.max(0, timeoutMs), end);
    const hurried = timeoutMs > 0 ? this.others?.hurry() : undefined;
    try {
      if (this.others !== undefined) await this.others.heardAll();
      return await this.confirmed(
        position,
        signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]),
      );
    } finally {
      cancelTimer();
      hurried?.();
    }
  }

  private confirmed(position: LogPosition, over: AbortSignal): Promise<Confirmed> {
    const now = this.status(position);
    if (now.pending.length === 0 || over.aborted) return Promise.resolve(now);
    return new Promise((resolve) => {
      let waitsFor = new Set(now.pending);
      const end = (status: Confirmed): void => {
        unsubscribe();
        over.removeEventListener("abort", giveUp);
        resolve(status);
      };
      const giveUp = (): void => {
        end(this.status(position));
      };
      const unsubscribe = this.registry.onWatched(({ edge, log, since }) => {
        if (log !== position.log || since < position.cursor || !waitsFor.delete(edge)) return;
        // Each edge that has passed costs one step; only where all seem to have, all are looked at.
        if (waitsFor.size > 0) return;
        const status = this.status(position);
        waitsFor = new Set(status.pending);
        if (waitsFor.size === 0) end(status);
      });
      over.addEventListener("abort", giveUp);
    });
  }
}

function watchingByEdge(known: readonly KnownInstance[]): ReadonlyMap<string, readonly KnownInstance[]> {
  const byEdge = new Map<string, KnownInstance[]>();
  for (const one of known) {
    if (!one.watching) continue;
    const those = byEdge.get(one.edge);
    if (those === undefined) byEdge.set(one.edge, [one]);
    else those.push(one);
  }
  return byEdge;
}

/**
 * The life before of an Envoy that was started again says nothing, and the present one watches. Another Envoy that goes by
 * its name does not speak for it: it may be cut off, and go on admitting what was revoked.
 */
const isFormerLife = (silent: KnownInstance, present: readonly KnownInstance[] = []): boolean =>
  present.length > 0 && present.every((one) => doubleOfTwo(silent, one) === null);
