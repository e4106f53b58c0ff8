// Metrics of edges: their rollout, their watches, and how long revocations take to reach them.
import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "prom-client";

import type { EdgeView, RolloutState } from "../app/edges.js";
import type { WatchMeter, WatchOutcome } from "../app/watch-ports.js";
import { PREFIX } from "./metrics.js";

/** From a round trip on one machine to an edge that was away for minutes. */
const PROPAGATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** Edges with series of their own, the first by name: each is a label that Prometheus keeps. */
const MAX_LABELLED_EDGES = 1000;
const STATES: readonly RolloutState[] = ["unknown", "waiting", "refused", "accepted", "notApplied", "applied"];

export class EdgeMetrics implements WatchMeter {
  private readonly watches: Counter;
  private readonly propagation: Histogram;

  constructor(private readonly registry: Registry) {
    const registers = [registry];
    this.watches = new Counter({
      name: `${PREFIX}watches_total`,
      help: "Watches that ended, by outcome",
      labelNames: ["outcome"],
      registers,
    });
    this.propagation = new Histogram({
      name: `${PREFIX}revocation_propagation_seconds`,
      help: "From a revocation's commit to the word of each connected edge that it knows",
      buckets: PROPAGATION_BUCKETS_S,
      registers,
    });
  }

  watchEnded(outcome: WatchOutcome): void {
    this.watches.inc({ outcome });
  }

  propagated(ms: number): void {
    this.propagation.observe(ms / 1000);
  }

  /** Adds what is asked for at each scrape. */
  observe(listed: () => Promise<EdgeView[]>, heldWatches: () => number): void {
    const registers = [this.registry];
    const edges = askedOnce(listed);
    new Gauge({
      name: `${PREFIX}watches_held`,
      help: "Watches that wait for something to be said",
      registers,
      collect() {
        this.set(heldWatches());
      },
    });
    new Gauge({
      name: `${PREFIX}edges`,
      help: "Edges, by the state of their rollout",
      labelNames: ["state"],
      registers,
      async collect() {
        const views = await edges();
        for (const state of STATES) this.set({ state }, views.filter((one) => one.state === state).length);
      },
    });
    const perEdge = (name: string, help: string, valueOf: (view: EdgeView) => number | null): void => {
      new Gauge({
        name: `${PREFIX}${name}`,
        help,
        labelNames: ["edge"],
        registers,
        async collect() {
          const views = (await edges()).slice(0, MAX_LABELLED_EDGES);
          this.reset();
          for (const view of views) {
            const value = valueOf(view);
            if (value !== null) this.set({ edge: view.edge }, value);
          }
        },
      });
    };
    perEdge("edge_running_generation", "Generation of the policy that the edge says it runs", ({ running }) => running);
    perEdge("edge_log_lag", "Withdrawals that the edge has not marked its table for", ({ lag }) => lag);
  }
}

/** Who asks while an answer is under way gets that one: all gauges of a scrape ask in one turn. */
function askedOnce<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let underWay: Promise<Answer> | undefined;
  return () => {
    underWay ??= ask().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
