// What is known of edges' instances, as those see it who only ask, or are called back.
import type { Instance } from "../../../domain/stored.js";
import { instanceKey } from "../../../domain/stored.js";
import type { InstanceStatus, InstanceStatuses } from "../../../domain/idleness.js";
import type { Clock, CurrentPolicy } from "../../ports/ports.js";
import { ClocksOfEdges } from "./clocks-of-edges.js";
import type { ClockOfMost } from "./edge-clocks.js";
import { InstanceEntries } from "./instance-entries.js";
import { isGone, knownInstance, NEVER } from "./registry-entry.js";
import type { Entry, KnownInstance, LookParts } from "./registry-entry.js";
import { ReportWindow } from "./report-window.js";
import { areCurrent, GONE_AFTER_MS, WORKER_KEPT_MS } from "./workers.js";

/** Not read for so long, a store that is shared was away: what edges said meanwhile was not heard, or is not stored. */
const AWAY_AFTER_MS = 10_000;

/** An edge whose watch has ended here may watch at another process, which is known after two looks. */
const MOVES_WITHIN_MS = 3_000;

export abstract class KnownInstances {
  protected readonly entries = new InstanceEntries((instance) => {
    this.changed(instance);
  });
  private readonly changeListeners = new Set<(instance: Instance) => void>();
  private readonly window: ReportWindow;
  private readonly clocks: ClocksOfEdges;
  private listeningSinceMs: number;
  /** Calls before it may not have been heard, or not stored. NEVER: all since the start have been. */
  private heardSinceMs = NEVER;
  /** When it was last known what other processes have heard. Undefined: there are none. */
  private storeReadAtMs: number | undefined;

  constructor(
    protected readonly clock: Clock,
    policies: CurrentPolicy,
  ) {
    this.window = new ReportWindow(clock, policies);
    this.clocks = new ClocksOfEdges(clock, () => this.entries.merged.all());
    this.listeningSinceMs = clock.monotonicMs();
  }

  /** How long this process has been listening: what happened before, it cannot know by itself. 0 while the store is away. */
  listeningMs(): number {
    return this.isAway() ? 0 : this.clock.monotonicMs() - this.listeningSinceMs;
  }

  /** All that other processes have stored by now is known. To be said each few seconds from the first time on. */
  storeRead(): void {
    if (this.isAway()) this.listenAnew();
    this.storeReadAtMs = this.clock.monotonicMs();
  }

  /**
   * The store was away, or lost what was written last: nobody could be heard, or what was heard is not stored. Nothing is
   * idle by that, and nobody is gone.
   */
  listenAnew(): void {
    this.listeningSinceMs = this.clock.monotonicMs();
    this.heardSinceMs = this.listeningSinceMs;
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
    return this.entries.merged.size;
  }

  /** Workers that are remembered, of all instances. */
  workerCount(): number {
    return this.entries.merged.workerCount;
  }

  knows(instance: Instance): boolean {
    return this.entries.get(instance) !== undefined;
  }

  /** Whether an instance of this edge is remembered. */
  knowsEdge(edge: string): boolean {
    return this.entries.merged.hasEdge(edge);
  }

  /**
   * What one worker reports says nothing of the others: an instance is current when each of its workers is that is not
   * gone, whichever process it reports to.
   * @param graceMs how old a report may be; a worker that said `more` counts as behind for as long
   */
  status(instance: Instance, graceMs: number): InstanceStatus {
    const entry = this.entries.get(instance);
    if (entry === undefined || entry.contactAtMs === NEVER || entry.awaitedSinceMs !== undefined) {
      return this.statusOfUnknown();
    }
    if (this.isGone(entry)) return "gone";
    return areCurrent(entry.workers, graceMs, this.clock.monotonicMs()) ? "current" : "behind";
  }

  /** How all stand now. */
  standings(graceMs: number): InstanceStatuses {
    const known = this.entries.merged.all().map(({ of }) => [instanceKey(of), this.status(of, graceMs)] as const);
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
    return this.seen(this.entries.merged.all(), graceMs);
  }

  /** Names of edges with an instance that is remembered, those after one, in their order. */
  edgesAfter(name: string, limit: number): readonly string[] {
    return this.entries.merged.edgesAfter(name, limit);
  }

  /** As `known`, of one edge; the one with the latest contact is the last. */
  knownOf(edge: string, graceMs: number): KnownInstance[] {
    return this.seen(this.entries.merged.ofEdge(edge), graceMs);
  }

  /** Forgets those that are gone: one that is not known is gone too. */
  forgetGone(): void {
    if (this.listeningMs() < GONE_AFTER_MS) return;
    for (const entry of this.entries.merged.all()) {
      const own = this.entries.ownOf(entry.of);
      if (this.isGone(entry)) this.entries.merged.forget(entry);
      else if (own !== undefined && own !== entry && this.saysNothing(own)) this.entries.dropOwn(own);
    }
  }

  /** Calls back when the state of an instance has changed, or it is forgotten. Returns how to end that. */
  onChanged(listener: (instance: Instance) => void): () => void {
    this.changeListeners.add(listener);
    return () => this.changeListeners.delete(listener);
  }

  protected changed(instance: Instance): void {
    for (const listener of this.changeListeners) listener(instance);
  }

  protected isGone(entry: Entry): boolean {
    return isGone(entry, this.clock.monotonicMs(), this.heardSinceMs);
  }

  /** Of one that has called other processes for so long that none of the workers that reported here counts any more. */
  private saysNothing({ watches, contactAtMs }: Entry): boolean {
    return watches === 0 && this.clock.monotonicMs() - contactAtMs >= WORKER_KEPT_MS;
  }

  private isAway(): boolean {
    return this.storeReadAtMs !== undefined && this.clock.monotonicMs() - this.storeReadAtMs > AWAY_AFTER_MS;
  }

  private seen(entries: readonly Entry[], graceMs: number): KnownInstance[] {
    const { heardSinceMs } = this;
    const nowMs = this.clock.monotonicMs();
    const movesWithinMs = this.storeReadAtMs === undefined ? NEVER : MOVES_WITHIN_MS;
    const parts: LookParts = { graceMs, windowMs: this.windowMs(), nowMs, heardSinceMs, movesWithinMs };
    return entries.filter((entry) => !this.isGone(entry)).map((entry) => knownInstance(entry, parts));
  }

  /** One without contact since the start may have been cut off for as long as the process was down. */
  private statusOfUnknown(): InstanceStatus {
    return this.listeningMs() < GONE_AFTER_MS ? "behind" : "gone";
  }
}
