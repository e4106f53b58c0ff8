// Use case: what the workers of edges have counted is counted here, each count once, so that one place shows all edges.
import { CountedByWorker } from "../../../domain/figures/counted-by-worker.js";
import type { SaidOfCounter } from "../../../domain/figures/counted-by-worker.js";
import type { EdgeCounter } from "../../../domain/figures/counter-families.js";
import { SeriesRoom } from "../../../domain/figures/series-room.js";
import type { Instance } from "../../../domain/stored.js";
import type { FigureMeter } from "../../ports/figure-ports.js";
import type { Clock, Logger } from "../../ports/ports.js";
import { WORKER_KEPT_MS } from "../status/workers.js";
import { CounterNames } from "./counter-names.js";
import { DroppedCounters } from "./dropped-counters.js";

export interface ReportedCounters extends Instance {
  /** Names one life of a VM; empty where it does not say, and then nothing counts. */
  readonly worker: string;
  readonly counters: readonly SaidOfCounter[];
  /** Names of entries that are none. */
  readonly malformed: readonly string[];
}

export interface EdgeFiguresParts {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly meter: FigureMeter;
  readonly logger: Logger;
}

export class EdgeFigures {
  private readonly names = new CounterNames();
  private readonly workers = new CountedByWorker(WORKER_KEPT_MS);
  private readonly room: SeriesRoom;
  private readonly dropped: DroppedCounters;

  constructor(private readonly parts: EdgeFiguresParts) {
    const { meter } = parts;
    this.dropped = new DroppedCounters(parts);
    this.room = new SeriesRoom(WORKER_KEPT_MS, (series) => {
      meter.removed(series);
    });
  }

  /** To be called once the report is sure to be answered: what is counted here is what its worker takes as received. */
  count(reported: ReportedCounters): void {
    const { edge, worker, counters } = reported;
    this.dropped.note(reported, "malformed", reported.malformed);
    if (worker === "") {
      this.dropped.note(reported, "malformed", namesOf(counters));
      return;
    }
    const known: EdgeCounter[] = [];
    const said: SaidOfCounter[] = [];
    const unknown: string[] = [];
    for (const { name, acknowledged, now } of counters) {
      const counter = this.names.counter(name);
      if (counter === undefined) unknown.push(name);
      else {
        known.push(counter);
        // The name that is kept is one string for all workers.
        said.push({ name: counter.name, acknowledged, now });
      }
    }
    this.dropped.note(reported, "unknown", unknown);
    const nowMs = this.parts.clock.monotonicMs();
    // A VM's counters are one for all its tables, each of which is another instance.
    const growth = this.workers.growth(JSON.stringify([edge, worker]), said, nowMs);
    for (const [index, counter] of known.entries()) this.add(edge, counter, growth[index] ?? 0, nowMs);
  }

  private add(edge: string, counter: EdgeCounter, amount: number, nowMs: number): void {
    if (amount === 0) return;
    const { meter } = this.parts;
    const { isOwn, ...series } = this.room.place(edge, counter, nowMs);
    meter.counted(series, amount);
    if (!isOwn) meter.sharedSeries();
  }
}

const namesOf = (counters: readonly SaidOfCounter[]): string[] => counters.map(({ name }) => name);
