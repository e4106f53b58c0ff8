// What each instance of an edge and each of its workers last said to this process. Memory only, and bounded.
import type { Standing, Standings } from "../../../domain/idleness.js";
import { instanceKey } from "../../../domain/stored.js";
import type { Clock, CurrentPolicy } from "../../ports/ports.js";
import type { Instance } from "../../ports/usage-ports.js";
import type { WatchRequest } from "../../ports/watch-ports.js";
import type { Reported, WorkerReport } from "../../ports/edge-ports.js";
import { ReportWindow } from "./report-window.js";
import { areCurrent, established, GONE_AFTER_MS, reportAgeMs, spokeWithin, withReport } from "./workers.js";
import type { Workers } from "./workers.js";

export { GONE_AFTER_MS } from "./workers.js";

/**
 * About 300 bytes each, and 200 for each worker that is kept: 2 kB with 8 of them, and what the edge found wrong with a
 * policy, at most 4 KiB. More than any installation has; past it those silent for longest are taken to be gone.
 */
const MAX_INSTANCES = 65_536;
/**
 * An instance whose last watch ended longer ago has left, and its workers with it: that is no silence of some of them.
 * Shorter than any worker takes to count as silent after its Envoy has ended (reportInterval + 10 s), longer than an
 * edge takes to watch anew.
 */
const BETWEEN_WATCHES_MS = 5_000;

/** Times are monotonic ms. */
interface Entry {
  readonly of: Instance;
  readonly firstHeardAtMs: number;
  readonly heardAtMs: number;
  readonly workers: Workers;
  /** The most that were established at a time. */
  readonly expectedWorkers: number;
  /** Held now. */
  readonly watches: number;
  readonly watchEndedAtMs: number;
  readonly lastWatch: WatchRequest | undefined;
}

type News = Partial<Pick<Entry, "workers" | "expectedWorkers" | "watches" | "watchEndedAtMs" | "lastWatch">>;

export interface KnownInstance extends Instance {
  /** ms since the first sign of life, and since the last. */
  readonly knownMs: number;
  readonly silentMs: number;
  /** ms since the last report of the worker that is furthest behind and not gone; null if there was none. */
  readonly reportAgeMs: number | null;
  readonly watching: boolean;
  readonly lastWatch: WatchRequest | undefined;
  readonly workers: Workers;
  /** By how many fewer workers spoke within the window than there were before. */
  readonly silentWorkers: number;
}

export interface EdgeRegistryParts {
  readonly clock: Clock;
  /** Its reportInterval says within which time a worker speaks. */
  readonly policies: CurrentPolicy;
  /** Hears of each report. */
  readonly workerReported?: (report: WorkerReport) => void;
}

export class EdgeRegistry {
  /** The one heard of last is the last. */
  private readonly entries = new Map<string, Entry>();
  private readonly listeners = new Set<(request: WatchRequest) => void>();
  private readonly clock: Clock;
  private readonly window: ReportWindow;
  private readonly startedAtMs: number;

  constructor(private readonly parts: EdgeRegistryParts) {
    this.clock = parts.clock;
    this.window = new ReportWindow(parts.clock, parts.policies);
    this.startedAtMs = parts.clock.monotonicMs();
  }

  /** How long this process has been listening: what happened before, it cannot know by itself. */
  listeningMs(): number {
    return this.clock.monotonicMs() - this.startedAtMs;
  }

  /** Within which every worker that is alive has spoken. */
  windowMs(): number {
    return this.window.ms();
  }

  /** Instances that are remembered. */
  count(): number {
    return this.entries.size;
  }

  acquired(instance: Instance): void {
    this.hear(instance, {});
  }

  /** To be called once the report is durable. */
  reported(instance: Instance, reported: Reported): void {
    const before = this.entries.get(instanceKey(instance));
    const nowMs = this.clock.monotonicMs();
    const workers = withReport(before?.workers ?? new Map(), reported, nowMs);
    const sure = established(workers, this.windowMs(), nowMs);
    this.hear(instance, { workers, expectedWorkers: Math.max(sure, before?.expectedWorkers ?? 0) });
    this.parts.workerReported?.({
      edge: instance.edge,
      instance: instance.instance,
      knownSinceMs: workers.get(reported.worker)?.firstReportAtMs ?? reported.arrivedAtMs,
      arrivedAtMs: reported.arrivedAtMs,
      ranBefore: before?.workers.get(reported.worker)?.runs,
      runs: reported.policy,
    });
  }

  /**
   * Notes what a watch says; that counts as a sign of life once the watch is held. Answers what the instance said with
   * its watch before, if there was one.
   */
  watched(request: WatchRequest): WatchRequest | undefined {
    const before = this.entries.get(instanceKey(request))?.lastWatch;
    this.note(request, { lastWatch: request, watchEndedAtMs: this.clock.monotonicMs() });
    for (const listener of this.listeners) listener(request);
    return before;
  }

  /** A watch of the instance is held from now on. Returns how to say that it is not any more. */
  watching(instance: Instance): () => void {
    this.hear(instance, { watches: this.watchesOf(instance) + 1 });
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const watches = Math.max(0, this.watchesOf(instance) - 1);
      this.hear(instance, { watches, watchEndedAtMs: this.clock.monotonicMs() });
    };
  }

  /** Calls back after each watch has been noted. Returns how to end that. */
  onWatched(listener: (request: WatchRequest) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * What one worker tells says nothing of the others: an instance is current when each of its workers is that is not
   * gone.
   * @param graceMs how old a report may be; a worker that said `more` counts as behind for as long
   */
  standing(instance: Instance, graceMs: number): Standing {
    const entry = this.entries.get(instanceKey(instance));
    if (entry === undefined || entry.heardAtMs === NEVER) return this.standingOfUnheard();
    if (this.isGone(entry)) return "gone";
    return areCurrent(entry.workers, graceMs, this.clock.monotonicMs()) ? "current" : "behind";
  }

  /** How all stand now. */
  standings(graceMs: number): Standings {
    const known = [...this.entries].map(([key, { of }]) => [key, this.standing(of, graceMs)] as const);
    return { known: new Map(known), others: this.standingOfUnheard() };
  }

  /**
   * Those that are not gone; when they are forgotten does not matter.
   * @param graceMs as for `standing`
   */
  known(graceMs: number): KnownInstance[] {
    const nowMs = this.clock.monotonicMs();
    const windowMs = this.windowMs();
    const present = [...this.entries.values()].filter((entry) => !this.isGone(entry));
    return present.map((entry) => ({
      ...entry.of,
      knownMs: nowMs - entry.firstHeardAtMs,
      silentMs: nowMs - entry.heardAtMs,
      reportAgeMs: reportAgeMs(entry.workers, graceMs, nowMs),
      watching: entry.watches > 0,
      lastWatch: entry.lastWatch,
      workers: entry.workers,
      silentWorkers: silentWorkersOf(entry, windowMs, nowMs),
    }));
  }

  /** Forgets those that are gone: one that is not known is gone too. */
  forgetGone(): void {
    if (this.listeningMs() < GONE_AFTER_MS) return;
    for (const [key, entry] of this.entries) if (this.isGone(entry)) this.entries.delete(key);
  }

  /** One that was not heard of since the start may have been cut off for as long as the process was down. */
  private standingOfUnheard(): Standing {
    return this.listeningMs() < GONE_AFTER_MS ? "behind" : "gone";
  }

  private isGone({ heardAtMs, watches }: Entry): boolean {
    return watches === 0 && this.clock.monotonicMs() - heardAtMs >= GONE_AFTER_MS;
  }

  private watchesOf(instance: Instance): number {
    return this.entries.get(instanceKey(instance))?.watches ?? 0;
  }

  private hear(instance: Instance, news: News): void {
    const key = instanceKey(instance);
    const nowMs = this.clock.monotonicMs();
    const before = this.entries.get(key) ?? newEntry(instance, nowMs);
    this.entries.delete(key);
    this.put(key, { ...before, ...news, heardAtMs: nowMs });
  }

  private note(instance: Instance, news: News): void {
    const key = instanceKey(instance);
    const before = this.entries.get(key) ?? newEntry(instance, this.clock.monotonicMs());
    this.put(key, { ...before, ...news });
  }

  private put(key: string, entry: Entry): void {
    this.entries.set(key, entry);
    if (this.entries.size <= MAX_INSTANCES) return;
    const [silent] = this.entries.keys();
    if (silent !== undefined) this.entries.delete(silent);
  }
}

const NO_WORKERS: Workers = new Map();

const NEVER = -Infinity;

const newEntry = ({ edge, instance }: Instance, nowMs: number): Entry => ({
  of: { edge, instance },
  firstHeardAtMs: nowMs,
  heardAtMs: NEVER,
  workers: NO_WORKERS,
  expectedWorkers: 0,
  watches: 0,
  watchEndedAtMs: NEVER,
  lastWatch: undefined,
});

function silentWorkersOf(entry: Entry, windowMs: number, nowMs: number): number {
  const isHere = entry.watches > 0 || nowMs - entry.watchEndedAtMs <= BETWEEN_WATCHES_MS;
  return isHere ? Math.max(0, entry.expectedWorkers - spokeWithin(entry.workers, windowMs, nowMs)) : 0;
}
