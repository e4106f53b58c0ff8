// What each instance of an edge and each of its workers last said to this process.
import type { Instance } from "../../../domain/stored.js";
import type { InstanceStatus, InstanceStatuses } from "../../../domain/idleness.js";
import { instanceKey } from "../../../domain/stored.js";
import type { EdgeStatus } from "../../ports/edge-status-ports.js";
import type { Clock, CurrentPolicy } from "../../ports/ports.js";
import type { WatchRequest } from "../../ports/watch-ports.js";
import type { Reported, WorkerReport } from "../../ports/edge-ports.js";
import { ClocksOfEdges } from "./clocks-of-edges.js";
import { clockWith } from "./edge-clocks.js";
import type { ClockOfMost, EdgeClock } from "./edge-clocks.js";
import { RegistryEntries } from "./registry-entries.js";
import { ReportWindow } from "./report-window.js";
import {
  awaitedEntries,
  clockOf,
  isGone,
  knownInstance,
  NEVER,
  newEntry,
  statusOf,
  watchedUntilMs,
} from "./registry-entry.js";
import type { Entry, KnownInstance, StatusNow } from "./registry-entry.js";
import { runWith } from "./watch-run.js";
import { areCurrent, established, GONE_AFTER_MS, withReport } from "./workers.js";

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

export class EdgeRegistry {
  private readonly entries = new RegistryEntries((instance) => {
    for (const listener of this.changeListeners) listener(instance);
  });
  private readonly listeners = new Set<(request: WatchRequest) => void>();
  private readonly changeListeners = new Set<(instance: Instance) => void>();
  private readonly clock: Clock;
  private readonly window: ReportWindow;
  private readonly clocks: ClocksOfEdges;
  private readonly startedAtMs: number;

  constructor(private readonly parts: EdgeRegistryParts) {
    this.clock = parts.clock;
    this.window = new ReportWindow(parts.clock, parts.policies);
    this.clocks = new ClocksOfEdges(parts.clock, () => this.entries.all());
    this.startedAtMs = parts.clock.monotonicMs();
    for (const entry of awaitedEntries(parts.known ?? [], parts.clock)) this.entries.put(entry);
  }

  /** How long this process has been listening: what happened before, it cannot know by itself. */
  listeningMs(): number {
    return this.clock.monotonicMs() - this.startedAtMs;
  }

  /** Within which every worker that is alive has spoken. */
  windowMs(): number {
    return this.window.ms();
  }

  /** See `clockOfMost`. */
  clockOfMost(): ClockOfMost | null {
    return this.clocks.most();
  }

  /** Instances that are remembered. */
  count(): number {
    return this.entries.size;
  }

  /** Workers that are remembered, of all instances. */
  workerCount(): number {
    return this.entries.workerCount;
  }

  knows(instance: Instance): boolean {
    return this.entries.get(instance) !== undefined;
  }

  /** Whether an instance of this edge is remembered. */
  knowsEdge(edge: string): boolean {
    return this.entries.hasEdge(edge);
  }

  acquired(instance: Instance): void {
    this.noteContact(instance, {});
  }

  /** To be called once the report is durable. */
  reported(instance: Instance, reported: Reported): void {
    const before = this.entries.get(instance);
    const nowMs = this.clock.monotonicMs();
    const workers = withReport(before?.workers ?? new Map(), reported, nowMs);
    const sure = established(workers, this.windowMs(), nowMs);
    this.noteContact(instance, { workers, expectedWorkers: Math.max(sure, before?.expectedWorkers ?? 0) });
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
    const nowMs = this.clock.monotonicMs();
    const before = this.entries.get(request);
    const run = runWith(before?.run, before ? watchedUntilMs(before, nowMs) : NEVER, request.address, nowMs);
    const clock = this.clockSaid(request, before && clockOf(before, nowMs));
    this.note(request, { lastWatch: request, watchEndedAtMs: nowMs, run, clock });
    for (const listener of this.listeners) listener(request);
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

  /** Calls back after each watch has been noted. Returns how to end that. */
  onWatched(listener: (request: WatchRequest) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls back when the state of an instance has changed, or it is forgotten. Returns how to end that. */
  onChanged(listener: (instance: Instance) => void): () => void {
    this.changeListeners.add(listener);
    return () => this.changeListeners.delete(listener);
  }

  /** What is to be stored of the instance now; undefined: nothing, it is not known or gone. */
  statusToStore(instance: Instance): StatusNow | undefined {
    const entry = this.entries.get(instance);
    return entry && statusOf(entry, this.clock);
  }

  /**
   * What one worker reports says nothing of the others: an instance is current when each of its workers is that is not
   * gone.
   * @param graceMs how old a report may be; a worker that said `more` counts as behind for as long
   */
  status(instance: Instance, graceMs: number): InstanceStatus {
    const entry = this.entries.get(instance);
    if (entry === undefined || entry.contactAtMs === NEVER || entry.awaitedSinceMs !== undefined) {
      return this.statusOfUnknown();
    }
    const nowMs = this.clock.monotonicMs();
    if (isGone(entry, nowMs)) return "gone";
    return areCurrent(entry.workers, graceMs, nowMs) ? "current" : "behind";
  }

  /** How all stand now. */
  standings(graceMs: number): InstanceStatuses {
    const known = this.entries.all().map(({ of }) => [instanceKey(of), this.status(of, graceMs)] as const);
    return { known: new Map(known), others: this.statusOfUnknown() };
  }

  /** How these stand now. Any other counts as behind: nothing is decided by it. */
  standingsOf(instances: readonly Instance[], graceMs: number): InstanceStatuses {
    const known = instances.map((one) => [instanceKey(one), this.status(one, graceMs)] as const);
    return { known: new Map(known), others: "behind" };
  }

  /**
   * Those that are not gone; when they are forgotten does not matter.
   * @param graceMs as for `status`
   */
  known(graceMs: number): KnownInstance[] {
    const nowMs = this.clock.monotonicMs();
    const windowMs = this.windowMs();
    const present = this.entries.all().filter((entry) => !isGone(entry, nowMs));
    return present.map((entry) => knownInstance(entry, graceMs, windowMs, nowMs));
  }

  /** Names of edges with an instance that is remembered, those after one, in their order. */
  edgesAfter(name: string, limit: number): readonly string[] {
    return this.entries.edgesAfter(name, limit);
  }

  /** As `known`, of one edge; the one with the latest contact is the last. */
  knownOf(edge: string, graceMs: number): KnownInstance[] {
    const nowMs = this.clock.monotonicMs();
    const windowMs = this.windowMs();
    return this.entries
      .ofEdge(edge)
      .filter((entry) => !isGone(entry, nowMs))
      .map((entry) => knownInstance(entry, graceMs, windowMs, nowMs));
  }

  /** Forgets those that are gone: one that is not known is gone too. */
  forgetGone(): void {
    if (this.listeningMs() < GONE_AFTER_MS) return;
    const nowMs = this.clock.monotonicMs();
    for (const entry of this.entries.all()) if (isGone(entry, nowMs)) this.entries.forget(entry);
  }

  /** One without contact since the start may have been cut off for as long as the process was down. */
  private statusOfUnknown(): InstanceStatus {
    return this.listeningMs() < GONE_AFTER_MS ? "behind" : "gone";
  }

  private clockSaid({ wallMs }: WatchRequest, before: EdgeClock | undefined): EdgeClock | undefined {
    if (wallMs === undefined) return undefined;
    return clockWith(before, wallMs - this.clock.nowMs(), this.clock.monotonicMs());
  }

  private watchesOf(instance: Instance): number {
    return this.entries.get(instance)?.watches ?? 0;
  }

  private noteContact(instance: Instance, news: News): void {
    const nowMs = this.clock.monotonicMs();
    const before = this.entries.get(instance) ?? newEntry(instance, nowMs);
    this.entries.putLast({ ...before, ...news, contactAtMs: nowMs, awaitedSinceMs: undefined });
  }

  private note(instance: Instance, news: News): void {
    const before = this.entries.get(instance) ?? newEntry(instance, this.clock.monotonicMs());
    this.entries.put({ ...before, ...news });
  }
}
