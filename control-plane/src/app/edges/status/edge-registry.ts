// What each instance of an edge and each of its workers last said to this process. Bounded.
import type { Instance } from "../../../domain/stored.js";
import type { InstanceStatus, InstanceStatuses } from "../../../domain/idleness.js";
import { instanceKey } from "../../../domain/stored.js";
import type { EdgeStatus } from "../../ports/edge-status-ports.js";
import type { Clock, CurrentPolicy } from "../../ports/ports.js";
import type { WatchRequest } from "../../ports/watch-ports.js";
import type { Reported, WorkerReport } from "../../ports/edge-ports.js";
import { EdgeNames } from "./edge-names.js";
import { ReportWindow } from "./report-window.js";
import { awaitedEntries, isChanged, isGone, knownInstance, NEVER, newEntry, statusOf } from "./registry-entry.js";
import type { Entry, KnownInstance, StatusNow } from "./registry-entry.js";
import { WorkersInAll } from "./workers-in-all.js";
import { areCurrent, established, GONE_AFTER_MS, withReport } from "./workers.js";

/**
 * About 300 bytes each, and what the edge found wrong with a policy, at most 4 KiB. More than any installation has; past it
 * those silent for longest are taken to be gone.
 */
const MAX_INSTANCES = 65_536;
/** During a hot restart there are two; more are former lives of an Envoy that crashes in a loop, or Envoys that share a name. */
export const MAX_INSTANCES_OF_AN_EDGE = 256;
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
  /** The one with the latest contact is the last. */
  private readonly entries = new Map<string, Entry>();
  private readonly names = new EdgeNames();
  private readonly listeners = new Set<(request: WatchRequest) => void>();
  private readonly changeListeners = new Set<(instance: Instance) => void>();
  private readonly clock: Clock;
  private readonly window: ReportWindow;
  private readonly startedAtMs: number;
  private readonly workersInAll = new WorkersInAll();

  constructor(private readonly parts: EdgeRegistryParts) {
    this.clock = parts.clock;
    this.window = new ReportWindow(parts.clock, parts.policies);
    this.startedAtMs = parts.clock.monotonicMs();
    for (const entry of awaitedEntries(parts.known ?? [], parts.clock)) this.put(entry);
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

  /** Workers that are remembered, of all instances. */
  workerCount(): number {
    return this.workersInAll.count;
  }

  knows(instance: Instance): boolean {
    return this.entries.has(instanceKey(instance));
  }

  /** Whether an instance of this edge is remembered. */
  knowsEdge(edge: string): boolean {
    return this.names.has(edge);
  }

  acquired(instance: Instance): void {
    this.noteContact(instance, {});
  }

  /** To be called once the report is durable. */
  reported(instance: Instance, reported: Reported): void {
    const before = this.entries.get(instanceKey(instance));
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
    const before = this.entries.get(instanceKey(request))?.lastWatch;
    this.note(request, { lastWatch: request, watchEndedAtMs: this.clock.monotonicMs() });
    for (const listener of this.listeners) listener(request);
    return before;
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
    const entry = this.entries.get(instanceKey(instance));
    return entry && statusOf(entry, this.clock);
  }

  /**
   * What one worker reports says nothing of the others: an instance is current when each of its workers is that is not
   * gone.
   * @param graceMs how old a report may be; a worker that said `more` counts as behind for as long
   */
  status(instance: Instance, graceMs: number): InstanceStatus {
    const entry = this.entries.get(instanceKey(instance));
    if (entry === undefined || entry.contactAtMs === NEVER || entry.awaitedSinceMs !== undefined) {
      return this.statusOfUnknown();
    }
    const nowMs = this.clock.monotonicMs();
    if (isGone(entry, nowMs)) return "gone";
    return areCurrent(entry.workers, graceMs, nowMs) ? "current" : "behind";
  }

  /** How all stand now. */
  standings(graceMs: number): InstanceStatuses {
    const known = [...this.entries].map(([key, { of }]) => [key, this.status(of, graceMs)] as const);
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
    const present = [...this.entries.values()].filter((entry) => !isGone(entry, nowMs));
    return present.map((entry) => knownInstance(entry, graceMs, windowMs, nowMs));
  }

  /** Names of edges with an instance that is remembered, those after one, in their order. */
  edgesAfter(name: string, limit: number): readonly string[] {
    return this.names.after(name, limit);
  }

  /** As `known`, of one edge; the one with the latest contact is the last. */
  knownOf(edge: string, graceMs: number): KnownInstance[] {
    const nowMs = this.clock.monotonicMs();
    const windowMs = this.windowMs();
    return this.entriesOf(edge)
      .filter((entry) => !isGone(entry, nowMs))
      .map((entry) => knownInstance(entry, graceMs, windowMs, nowMs));
  }

  /** Forgets those that are gone: one that is not known is gone too. */
  forgetGone(): void {
    if (this.listeningMs() < GONE_AFTER_MS) return;
    const nowMs = this.clock.monotonicMs();
    for (const entry of this.entries.values()) if (isGone(entry, nowMs)) this.forget(entry);
  }

  /** One without contact since the start may have been cut off for as long as the process was down. */
  private statusOfUnknown(): InstanceStatus {
    return this.listeningMs() < GONE_AFTER_MS ? "behind" : "gone";
  }

  private watchesOf(instance: Instance): number {
    return this.entries.get(instanceKey(instance))?.watches ?? 0;
  }

  private noteContact(instance: Instance, news: News): void {
    const key = instanceKey(instance);
    const nowMs = this.clock.monotonicMs();
    const before = this.entries.get(key);
    this.entries.delete(key);
    this.names.touch(instance);
    const contact = { contactAtMs: nowMs, awaitedSinceMs: undefined };
    this.put({ ...(before ?? newEntry(instance, nowMs)), ...news, ...contact }, before);
  }

  private note(instance: Instance, news: News): void {
    const before = this.entries.get(instanceKey(instance));
    this.put({ ...(before ?? newEntry(instance, this.clock.monotonicMs())), ...news }, before);
  }

  private put(entry: Entry, before?: Entry): void {
    this.entries.set(instanceKey(entry.of), entry);
    this.names.add(entry.of);
    if (before === undefined || isChanged(before, entry)) this.changed(entry.of);
    if (before === undefined) this.keepFew(entry);
    this.workersInAll.note(instanceKey(entry.of), entry.workers.size);
    for (let key = this.workersInAll.surplus(); key !== undefined; key = this.workersInAll.surplus()) {
      this.forgetWorkers(key);
    }
    for (const silent of this.entries.values()) {
      if (this.entries.size <= MAX_INSTANCES) return;
      this.forget(silent);
    }
  }

  /** The instance stays, and counts as behind until one of its workers reports. */
  private forgetWorkers(key: string): void {
    this.workersInAll.note(key, 0);
    const entry = this.entries.get(key);
    if (entry !== undefined) this.entries.set(key, { ...entry, workers: new Map(), expectedWorkers: 0 });
  }

  /** Of an edge's others the one that is silent for longest goes, one that watches last of all. */
  private keepFew(added: Entry): void {
    if (this.names.keys(added.of.edge).size <= MAX_INSTANCES_OF_AN_EDGE) return;
    let longest: Entry | undefined;
    for (const key of this.names.keys(added.of.edge)) {
      const entry = this.entries.get(key);
      if (entry === undefined || entry === added) continue;
      longest ??= entry;
      if (entry.watches > 0) continue;
      longest = entry;
      break;
    }
    if (longest !== undefined) this.forget(longest);
  }

  /** The one with the latest contact is the last. */
  private entriesOf(edge: string): Entry[] {
    return [...this.names.keys(edge)].map((key) => this.entries.get(key)).filter((one) => one !== undefined);
  }

  private forget({ of }: Entry): void {
    this.workersInAll.note(instanceKey(of), 0);
    this.entries.delete(instanceKey(of));
    this.names.remove(of);
    this.changed(of);
  }

  private changed(instance: Instance): void {
    for (const listener of this.changeListeners) listener(instance);
  }
}
