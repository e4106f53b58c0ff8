// Which instances of edges there are, as heard by this process: who is up to date, who is behind, who is gone.
import type { Clock } from "./ports.js";
import type { Instance } from "./usage-ports.js";

/** Silent for so long and not watching, an instance is gone (docs/edge-protocol.md). */
export const GONE_AFTER_MS = 300_000;
/**
 * About 200 bytes each, and 100 for each worker that is kept: 1 kB with 8 of them, 13 kB at the most. More than any
 * installation has; past it those silent for longest are taken to be gone.
 */
const MAX_INSTANCES = 65_536;

/** current: all it spent until a grace ago is known. behind: it may have admitted requests that are not known of. */
export type Standing = "current" | "behind" | "gone";

/** Each reload of a VM makes another. Past it those silent for longest are forgotten. */
const MAX_WORKERS = 128;
/** Longer than a worker counts under any policy: with the longest `reportInterval`, 10 minutes, that is 41 minutes. */
const WORKER_KEPT_MS = 3_600_000;

/** What a worker's reports have said. Times are monotonic ms; undefined: never. */
interface Told {
  readonly reportedAtMs: number;
  /** When a report last said that there was more. */
  readonly moreAtMs: number | undefined;
}

interface Heard {
  readonly of: Instance;
  readonly heardAtMs: number;
  /** The one that reported last is the last. */
  readonly workers: ReadonlyMap<string, Told>;
  readonly watches: number;
}

/** A report as it counts here. */
export interface Reported {
  /** Which worker of the instance reports; empty where an older filter does not say. */
  readonly worker: string;
  readonly more: boolean;
  /** Monotonic: it tells nothing of what came after. */
  readonly arrivedAtMs: number;
}

export interface KnownInstance extends Instance {
  /** ms since the last sign of life. */
  readonly silentMs: number;
  /** ms since the last report of the worker that is furthest behind and not gone; null if there was none. */
  readonly reportAgeMs: number | null;
  readonly watching: boolean;
}

export class EdgeInstances {
  /** The one heard of last is the last. */
  private readonly heard = new Map<string, Heard>();
  private readonly startedAtMs: number;

  constructor(private readonly clock: Clock) {
    this.startedAtMs = clock.monotonicMs();
  }

  /** How long this process has been listening: what happened before, it cannot know by itself. */
  listeningMs(): number {
    return this.clock.monotonicMs() - this.startedAtMs;
  }

  acquired(instance: Instance): void {
    this.hear(instance, {});
  }

  /** To be called once the report is durable. */
  reported(instance: Instance, { worker, more, arrivedAtMs }: Reported): void {
    const workers = new Map(this.heard.get(keyOf(instance))?.workers);
    const before = workers.get(worker);
    const reportedAtMs = Math.max(arrivedAtMs, before?.reportedAtMs ?? arrivedAtMs);
    workers.delete(worker);
    workers.set(worker, { reportedAtMs, moreAtMs: more ? arrivedAtMs : before?.moreAtMs });
    const nowMs = this.clock.monotonicMs();
    for (const [silent, told] of workers) {
      if (workers.size <= MAX_WORKERS && nowMs - told.reportedAtMs < WORKER_KEPT_MS) break;
      workers.delete(silent);
    }
    this.hear(instance, { workers });
  }

  /** A watch of the instance is held from now on. Returns how to say that it is not any more. */
  watching(instance: Instance): () => void {
    this.hear(instance, { watches: this.watchesOf(instance) + 1 });
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.hear(instance, { watches: Math.max(0, this.watchesOf(instance) - 1) });
    };
  }

  /**
   * What one worker tells says nothing of the others: an instance is current when each of its workers is that is not
   * gone.
   * @param graceMs how old a report may be; a worker that said `more` counts as behind for as long
   */
  standing(instance: Instance, graceMs: number): Standing {
    const heard = this.heard.get(keyOf(instance));
    // One that was not heard of since the start may have been cut off for as long as the process was down.
    if (heard === undefined) return this.listeningMs() < GONE_AFTER_MS ? "behind" : "gone";
    if (this.isGone(heard)) return "gone";
    const nowMs = this.clock.monotonicMs();
    let reporting = 0;
    for (const { reportedAtMs, moreAtMs } of heard.workers.values()) {
      if (nowMs - reportedAtMs >= workerGoneAfterMs(graceMs)) continue;
      if (nowMs - reportedAtMs > graceMs || (moreAtMs !== undefined && nowMs - moreAtMs <= graceMs)) return "behind";
      reporting += 1;
    }
    return reporting > 0 ? "current" : "behind";
  }

  /**
   * Those that are not gone; when they are forgotten does not matter.
   * @param graceMs as for `standing`
   */
  known(graceMs: number): KnownInstance[] {
    const nowMs = this.clock.monotonicMs();
    const present = [...this.heard.values()].filter((heard) => !this.isGone(heard));
    return present.map(({ of, heardAtMs, workers, watches }) => {
      const ages = [...workers.values()].map(({ reportedAtMs }) => nowMs - reportedAtMs);
      return { ...of, silentMs: nowMs - heardAtMs, reportAgeMs: ageThatCounts(ages, graceMs), watching: watches > 0 };
    });
  }

  /** Forgets those that are gone: one that is not known is gone too. */
  forgetGone(): void {
    if (this.listeningMs() < GONE_AFTER_MS) return;
    for (const [key, heard] of this.heard) if (this.isGone(heard)) this.heard.delete(key);
  }

  private isGone({ heardAtMs, watches }: Heard): boolean {
    return watches === 0 && this.clock.monotonicMs() - heardAtMs >= GONE_AFTER_MS;
  }

  private watchesOf(instance: Instance): number {
    return this.heard.get(keyOf(instance))?.watches ?? 0;
  }

  private hear(instance: Instance, news: Partial<Pick<Heard, "workers" | "watches">>): void {
    const key = keyOf(instance);
    const { edge, instance: id } = instance;
    const before = this.heard.get(key) ?? { workers: new Map<string, Told>(), watches: 0 };
    this.heard.delete(key);
    this.heard.set(key, { ...before, ...news, of: { edge, instance: id }, heardAtMs: this.clock.monotonicMs() });
    if (this.heard.size <= MAX_INSTANCES) return;
    const [silent] = this.heard.keys();
    if (silent !== undefined) this.heard.delete(silent);
  }
}

/** By 5 minutes, a worker that reports each 10 would be gone between its reports. */
const workerGoneAfterMs = (graceMs: number): number => Math.max(GONE_AFTER_MS, 2 * graceMs);

/** The oldest of a worker that is not gone: that one holds up what waits for reports. If all are gone, the youngest. */
function ageThatCounts(ages: readonly number[], graceMs: number): number | null {
  if (ages.length === 0) return null;
  const counted = ages.filter((age) => age < workerGoneAfterMs(graceMs));
  return counted.length > 0 ? Math.max(...counted) : Math.min(...ages);
}

/** An instance's digits are of one length, so that no two pairs share a key. */
const keyOf = ({ edge, instance }: Instance): string => `${instance}${edge}`;
