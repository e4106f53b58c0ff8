// Metrics that edges have counted: each counter of the filter has a twin here, with the edge's name.
import { Counter } from "prom-client";
import type { Registry } from "prom-client";

import { COUNTER_FAULTS } from "../../app/ports/figure-ports.js";
import type { CounterFault, FigureMeter } from "../../app/ports/figure-ports.js";
import { FAMILIES } from "../../domain/figures/counter-families.js";
import type { Family } from "../../domain/figures/counter-families.js";
import type { Series } from "../../domain/figures/series-room.js";

/** Of every metric that edges have counted. */
export const EDGE_PREFIX = "sluice_edge_";

export class FigureMetrics implements FigureMeter {
  private readonly counters = new Map<Family, Counter>();
  private readonly shared: Counter;
  private readonly dropped: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    for (const [family, labels] of Object.entries(FAMILIES) as [Family, object][]) {
      const counter = new Counter({
        name: `${EDGE_PREFIX}${family}_total`,
        help: `What the filters of an edge have counted as sluice_${family}_total, as far as they reported it here`,
        labelNames: ["edge", ...Object.keys(labels)],
        registers,
      });
      this.counters.set(family, counter);
    }
    this.shared = new Counter({
      name: `${EDGE_PREFIX}series_dropped_total`,
      help: "Increments that count under _other, because their edge or plan had no room for a series of its own",
      registers,
    });
    this.dropped = new Counter({
      name: `${EDGE_PREFIX}figures_dropped_total`,
      help: "Counters in reports that count for nothing, by reason",
      labelNames: ["reason"],
      registers,
    });
    for (const reason of COUNTER_FAULTS) this.dropped.inc({ reason }, 0);
  }

  counted({ family, labels }: Series, amount: number): void {
    this.counters.get(family)?.inc({ ...labels }, amount);
  }

  removed({ family, labels }: Series): void {
    this.counters.get(family)?.remove({ ...labels });
  }

  sharedSeries(): void {
    this.shared.inc();
  }

  counterDropped(reason: CounterFault): void {
    this.dropped.inc({ reason });
  }
}
