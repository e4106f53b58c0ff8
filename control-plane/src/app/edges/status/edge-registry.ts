// What each instance of an edge and each of its workers last said, to this process or to another over the same store.
import type { Instance } from "../../../domain/stored.js";
import type { EdgeCursor, EdgeStatus } from "../../ports/edge-status-ports.js";
import type { Clock, CurrentPolicy } from "../../ports/ports.js";
import type { WatchRequest } from "../../ports/watch-ports.js";
import type { Reported, WorkerReport } from "../../ports/edge-ports.js";
import { OthersSaid } from "../processes/others-said.js";
import type { WatchedFrom } from "../processes/others-said.js";
import { clockWith } from "./edge-clocks.js";
import type { EdgeClock } from "./edge-clocks.js";
import { KnownInstances } from "./known-instances.js";
import { clockOf, isChanged, NEVER, newEntry, watchedUntilMs } from "./registry-entry.js";
import type { Entry } from "./registry-entry.js";
import { awaitedEntries, statusOf } from "./stored-status.js";
import type { StatusNow } from "./stored-status.js";
import { runWith } from "./watch-run.js";
import { established, withReport } from "./workers.js";

type News = Partial<Omit<Entry, "of" | "firstContactAtMs" | "contactAtMs" | "awaitedSinceMs">>;

export interface EdgeRegistryParts {
  readonly clock: Clock;
  /** Its reportInterval says within which time a worker speaks. */
  readonly policies: CurrentPolicy;
  /** The instances that called earlier processes; what is past the bound is passed over. */
  readonly known?: readonly EdgeStatus[];
  /** Hears of each report. */
  readonly workerReported?: ((report: WorkerReport) => void) | undefined;
}

export class EdgeRegistry extends KnownInstances {
  /** Takes what other processes have stored. */
  readonly othersSaid: OthersSaid;
  private readonly listeners = new Set<(watched: WatchedFrom) => void>();
  private readonly cursorListeners = new Set<(cursor: EdgeCursor) => void>();
  /** Undefined: no other process reads what this one stores. */
  private firstStoredBy: ((instance: Instance) => Promise<void> | undefined) | undefined;

  constructor(private readonly parts: EdgeRegistryParts) {
    super(parts.clock, parts.policies);
    this.othersSaid = new OthersSaid({
      entries: this.entries,
      clock: this.clock,
      watched: (watched) => {
        this.tellWatched(watched);
      },
    });
    for (const entry of awaitedEntries(parts.known ?? [], parts.clock)) this.entries.putOwn(entry, false);
  }

  acquired(instance: Instance): void {
    this.noteContact(instance, {});
  }

  /**
   * To be awaited before an instance that has called is given a session: from then on other processes can know of it. Undefined where
   * they can already, or there are none. @throws (a rejection) where that cannot be stored
   */
  knownElsewhere(instance: Instance): Promise<void> | undefined {
    return this.firstStoredBy?.(instance);
  }

  /** Who stores instances for other processes, and answers as `knownElsewhere`. */
  storesFirst(stored: (instance: Instance) => Promise<void> | undefined): void {
    this.firstStoredBy = stored;
  }

  /** To be called once the report is durable. */
  reported(instance: Instance, reported: Reported): void {
    const before = this.entries.get(instance);
    const own = this.entries.ownOf(instance);
    const nowMs = this.clock.monotonicMs();
    const said = before?.workers.get(reported.worker);
    const workers = withReport(own?.workers ?? new Map(), said, reported, nowMs);
    this.noteContact(instance, { workers });
    const all = this.entries.get(instance)?.workers ?? workers;
    const sure = established(all, this.windowMs(), nowMs);
    if (sure > (own?.expectedWorkers ?? 0)) this.note(instance, { expectedWorkers: sure });
    const ranBefore = said?.runs;
    if (ranBefore?.hash !== reported.policy?.hash) this.changed(instance);
    this.parts.workerReported?.({
      edge: instance.edge,
      instance: instance.instance,
      knownSinceMs: all.get(reported.worker)?.firstReportAtMs ?? reported.arrivedAtMs,
      arrivedAtMs: reported.arrivedAtMs,
      ranBefore,
      runs: reported.policy,
    });
  }

  /**
   * Notes what a watch says; that counts as a sign of life once the watch is held. Answers what the instance said with
   * its watch before, if there was one.
   */
  watched(request: WatchRequest): WatchRequest | undefined {
    const nowMs = this.clock.monotonicMs();
    const before = this.entries.get(request);
    const run = runWith(before?.run, before ? watchedUntilMs(before, nowMs) : NEVER, request.address, nowMs);
    const clock = this.clockSaid(request, before && clockOf(before, nowMs));
    this.note(request, { lastWatch: request, saidAtMs: nowMs, watchEndedAtMs: nowMs, run, clock });
    const { edge, instance, log, since } = request;
    if (log !== undefined && (before?.lastWatch?.log !== log || before.lastWatch.since !== since)) {
      for (const listener of this.cursorListeners) listener({ edge, instance, log, since });
    }
    this.tellWatched(request);
    return before?.lastWatch;
  }

  /** A watch of the instance is held from now on. Returns how to say that it is not any more. */
  watching(instance: Instance): () => void {
    this.noteContact(instance, { watches: this.watchesOf(instance) + 1 });
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const watches = Math.max(0, this.watchesOf(instance) - 1);
      this.noteContact(instance, { watches, watchEndedAtMs: this.clock.monotonicMs() });
    };
  }

  /** Calls back after each watch has been noted, and each that another process has heard. Returns how to end that. */
  onWatched(listener: (watched: WatchedFrom) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls back when a watch has come from another cursor than the one before. Returns how to end that. */
  onCursor(listener: (cursor: EdgeCursor) => void): () => void {
    this.cursorListeners.add(listener);
    return () => this.cursorListeners.delete(listener);
  }

  /**
   * What is to be stored of the instance now, as this process knows it at first hand; undefined: nothing, it never called
   * or is gone.
   */
  statusToStore(instance: Instance, isDetailed: boolean): StatusNow | undefined {
    const entry = this.entries.get(instance);
    const own = this.entries.ownOf(instance);
    // One that calls others now may have workers that reported here last, and are not gone for long.
    return entry && own && !this.isGone(entry) ? statusOf(own, this.clock, isDetailed) : undefined;
  }

  private tellWatched(watched: WatchedFrom): void {
    for (const listener of this.listeners) listener(watched);
  }

  private clockSaid({ wallMs }: WatchRequest, before: EdgeClock | undefined): EdgeClock | undefined {
    if (wallMs === undefined) return undefined;
    return clockWith(before, wallMs - this.clock.nowMs(), this.clock.monotonicMs());
  }

  /** Held here. */
  private watchesOf(instance: Instance): number {
    return this.entries.ownOf(instance)?.watches ?? 0;
  }

  private noteContact(instance: Instance, news: News): void {
    const contact = { contactAtMs: this.clock.monotonicMs(), awaitedSinceMs: undefined };
    this.keep(instance, { ...news, ...contact }, true);
  }

  private note(instance: Instance, news: News): void {
    this.keep(instance, news, false);
  }

  private keep(instance: Instance, news: Partial<Entry>, called: boolean): void {
    const before = this.entries.ownOf(instance);
    const entry = { ...(before ?? newEntry(instance, this.clock.monotonicMs())), ...news };
    this.entries.putOwn(entry, called);
    if (before === undefined || isChanged(before, entry)) this.changed(instance);
  }
}
