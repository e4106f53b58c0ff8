// Looks at what other processes over the same store have been told by edges, and says that this one is there.
import type { SharedStatuses, StatusChange } from "../../ports/edge-status-ports.js";
import type { InvalidationLog, Timers } from "../../ports/log-ports.js";
import type { Clock, Logger } from "../../ports/ports.js";
import { logStoreFailure } from "../../upkeep/store-keeping.js";
import type { EdgeRegistry } from "../status/edge-registry.js";
import { BEAT_EACH_MS, ProcessBeats, THERE_FOR_MS } from "./process-beats.js";
import { SharedRuns } from "./shared-runs.js";

const LOOKED_EACH_MS = 1_000;
/** While somebody waits for what others hear. */
const HURRIED_EACH_MS = 100;
/** Changes a reading: some milliseconds for the store. */
const CHANGES_A_READING = 1_000;
/** After such a break in its beats others may have taken this process not to be there, and its edges not to watch. */
const BREAK_MS = THERE_FOR_MS - 2 * BEAT_EACH_MS;
const FORGOTTEN_EACH_MS = 30_000;

export interface OtherProcessesParts {
  readonly shared: SharedStatuses;
  readonly registry: Pick<EdgeRegistry, "othersSaid" | "listenAnew" | "storeRead" | "forgetGone">;
  readonly log: Pick<InvalidationLog, "position">;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

export class OtherProcesses {
  private readonly beats = new ProcessBeats();
  /** Who writes this process's own statuses, told that none is stored any more. */
  private readonly lostListeners = new Set<() => void>();
  private mark = 0;
  private logId: string | undefined;
  /** Undefined: this process is not among those that are stored. */
  private beatenAtMs: number | undefined;
  private forgottenAtMs: number;
  private hurrying = 0;
  private stopped = false;
  private cancel = (): void => undefined;
  private underWay: Promise<void> | undefined;
  private readonly readings = new SharedRuns(() => this.readNews());

  constructor(private readonly parts: OtherProcessesParts) {
    this.forgottenAtMs = parts.clock.monotonicMs();
  }

  /**
   * Reads all that there is, says that this process is there, and looks on. A store that takes no writes is told so later.
   * @throws where the store cannot be read; it may be called again then
   */
  async start(): Promise<void> {
    this.mark = 0;
    this.logId = (await this.parts.log.position()).log;
    await this.readAtStart();
    try {
      await this.beat();
    } catch (error) {
      this.failed(error);
    }
    this.next();
  }

  /** The last: it is not there any more. To be called once all is written. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel();
    await this.underWay;
    try {
      await this.parts.shared.beat(this.parts.clock.nowMs(), true);
    } catch (error) {
      // Others find it by its beats that stay away.
      this.failed(error);
    }
  }

  /** Whether anybody else reads what this process writes. */
  areThere(): boolean {
    return this.beats.count() > 0;
  }

  /** Calls back when nothing of what this process has written is sure to be stored. Returns how to end that. */
  onLost(listener: () => void): () => void {
    this.lostListeners.add(listener);
    return () => this.lostListeners.delete(listener);
  }

  /** From now on what others hear is known within some 100 ms. Returns how to say that it need not be any more. */
  hurry(): () => void {
    this.hurrying += 1;
    if (this.hurrying === 1 && this.underWay === undefined) this.next();
    let hurried = true;
    return () => {
      if (hurried) this.hurrying -= 1;
      hurried = false;
    };
  }

  /**
   * Resolves once all is known that was stored when it was called.
   * @throws (a rejection) where the store cannot be read
   */
  heardAll(): Promise<void> {
    return this.readings.ask();
  }

  private async readNews(): Promise<void> {
    const { log } = await this.parts.log.position();
    if (log !== this.logId) this.beginAnew();
    this.logId = log;
    await this.read((change) => {
      this.hear(change);
    });
  }

  private next(): void {
    this.cancel();
    if (this.stopped) return;
    this.cancel = this.parts.timers.after(this.hurrying > 0 ? HURRIED_EACH_MS : LOOKED_EACH_MS, () => {
      this.underWay = this.look().finally(() => {
        this.underWay = undefined;
        this.next();
      });
    });
  }

  private async look(): Promise<void> {
    const { clock, registry } = this.parts;
    try {
      await this.heardAll();
      // Also where others have forgotten it, or it is new to this copy of the store.
      await this.beatIfDue();
      await this.forgetOld();
    } catch (error) {
      this.failed(error);
    }
    this.end(this.beats.age(clock.monotonicMs()));
    if (clock.monotonicMs() - this.forgottenAtMs < FORGOTTEN_EACH_MS) return;
    this.forgottenAtMs = clock.monotonicMs();
    registry.forgetGone();
  }

  /** Another copy has taken the store's place, which may lack what was written last. */
  private beginAnew(): void {
    this.mark = 0;
    this.beatenAtMs = undefined;
    this.parts.registry.listenAnew();
  }

  private lost(): void {
    for (const listener of this.lostListeners) listener();
  }

  private async beatIfDue(): Promise<void> {
    const sinceMs = this.parts.clock.monotonicMs() - (this.beatenAtMs ?? -Infinity);
    if (sinceMs < BEAT_EACH_MS) return;
    if (sinceMs > BREAK_MS) this.lost();
    await this.beat();
  }

  private async beat(): Promise<void> {
    const { shared, clock } = this.parts;
    await shared.beat(clock.nowMs(), false);
    this.beatenAtMs = clock.monotonicMs();
  }

  /** What processes have written that are not there is of instances which may come back. */
  private async readAtStart(): Promise<void> {
    const { registry, clock } = this.parts;
    const found: StatusChange[] = [];
    await this.read((change) => found.push(change));
    const there = found.filter(({ process }) => this.beats.isThere(process));
    const heardUntilMs = this.beats.count() > 0 ? clock.nowMs() : 0;
    const ended = new Set(found.map(({ process }) => process).filter((process) => !this.beats.isThere(process)));
    for (const process of ended) {
      const stored = found.flatMap((one) => (one.kind === "status" && one.process === process ? [one.status] : []));
      registry.othersSaid.await(process, stored, heardUntilMs);
    }
    for (const change of there) this.hear(change);
  }

  private async read(each: (change: StatusChange) => void): Promise<void> {
    const { shared, registry } = this.parts;
    for (let isAll = false; !isAll;) {
      const said = await shared.changedAfter(this.mark, CHANGES_A_READING);
      ({ isAll } = said);
      this.noteBeats(said.processes);
      said.changes.forEach(each);
      this.mark = said.mark;
    }
    registry.storeRead();
  }

  private noteBeats(processes: Parameters<ProcessBeats["note"]>[0]): void {
    const { shared, clock, registry } = this.parts;
    const others = processes.filter(({ process }) => process !== shared.process);
    // Another has forgotten this one: it stood still for long.
    if (others.length === processes.length) this.beatenAtMs = undefined;
    const news = this.beats.note(others, clock.monotonicMs(), clock.nowMs());
    this.end(news.ended);
    for (const process of news.forgotten) registry.othersSaid.processForgotten(process);
  }

  private end(ended: readonly { readonly process: string; readonly untilMs: number }[]): void {
    for (const { process, untilMs } of ended) this.parts.registry.othersSaid.processEnded(process, untilMs);
  }

  private hear(change: StatusChange): void {
    const { othersSaid } = this.parts.registry;
    const { process, kind } = change;
    if (kind === "status") othersSaid.heard(process, change.status, this.beats.isThere(process));
    else if (kind === "cursor") othersSaid.heardCursor(process, change.cursor);
    else othersSaid.heardGone(process, change.instance);
  }

  private async forgetOld(): Promise<void> {
    const { shared, clock } = this.parts;
    for (const process of this.beats.toForget(clock.monotonicMs(), clock.nowMs())) await shared.forget(process);
  }

  private failed(error: unknown): void {
    const fields = { event: "edge-status-failed" };
    logStoreFailure(this.parts.logger, error, fields, "what edges told other control planes cannot be read");
  }
}
