// How long calls of edges and updates of the store take.
import { Histogram } from "prom-client";
import type { Registry } from "prom-client";

import type { Loads } from "../../app/ports/update-ports.js";
import { PREFIX } from "./metrics.js";

/** From a fraction of a commit to the longest that an edge waits for an answer, 5 s, and past it. */
const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class DurationMetrics {
  private readonly calls: Histogram;
  private readonly updates: Histogram;

  constructor(registry: Registry) {
    const histogram = (name: string, help: string, label: string): Histogram =>
      new Histogram({ name: `${PREFIX}${name}`, help, labelNames: [label], buckets: BUCKETS_S, registers: [registry] });
    this.calls = histogram("edge_call_duration_seconds", "From an edge's call to its answer", "call");
    this.updates = histogram(
      "store_update_duration_seconds",
      "Of an update of the store: load, decide, commit",
      "kind",
    );
  }

  edgeCallTook(call: string, ms: number): void {
    this.calls.observe({ call }, ms / 1000);
  }

  updateTook(kind: keyof Loads, ms: number): void {
    this.updates.observe({ kind }, ms / 1000);
  }
}
