// Metrics of edges: their states, their watches, and how long revocations and policies take to reach them.
import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "prom-client";

import { EDGE_STATES } from "../../app/edges/status/edge-status.js";
import type { EdgeSurvey } from "../../app/edges/status/edge-survey.js";
import type { EdgeSummary } from "../../app/edges/status/edge-views.js";
import type { WatchMeter, WatchOutcome } from "../../app/ports/watch-ports.js";
import { askedOnce } from "./asked-once.js";
import { EDGE_PREFIX } from "./figure-metrics.js";
import { PREFIX } from "./metrics.js";

/** From a round trip on one machine to an edge that was away for minutes. */
const PROPAGATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export class EdgeMetrics implements WatchMeter {
  private readonly watches: Counter;
  private readonly propagation: Histogram;
  private readonly policyPropagation: Histogram;
  private readonly unauthenticated: Counter;
  private readonly instancesDenied: Counter;

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
      help: "From a revocation's commit to the confirmation of each connected edge",
      buckets: PROPAGATION_BUCKETS_S,
      registers,
    });
    this.policyPropagation = new Histogram({
      name: `${PREFIX}policy_propagation_seconds`,
      help: "From a policy's decision to each worker's first report that it runs it",
      buckets: PROPAGATION_BUCKETS_S,
      registers,
    });
    this.unauthenticated = new Counter({
      name: `${PREFIX}edge_calls_unauthenticated_total`,
      help: "Edge calls that were denied for their credential",
      registers,
    });
    this.instancesDenied = new Counter({
      name: `${PREFIX}edge_instances_denied_total`,
      help: "Edge calls that were denied because too many new instances came at once",
      registers,
    });
  }

  instanceDenied(): void {
    this.instancesDenied.inc();
  }

  watchEnded(outcome: WatchOutcome): void {
    this.watches.inc({ outcome });
  }

  propagated(ms: number): void {
    this.propagation.observe(ms / 1000);
  }

  policyPropagated(ms: number): void {
    this.policyPropagation.observe(ms / 1000);
  }

  callDenied(): void {
    this.unauthenticated.inc();
  }

  /** Adds what is asked for at each scrape. */
  observe(surveyed: () => Promise<EdgeSurvey>, heldWatches: () => number): void {
    const registers = [this.registry];
    // All gauges of a scrape ask in one turn.
    const edges = askedOnce(surveyed);
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
      help: "Edges, by their state",
      labelNames: ["state"],
      registers,
      async collect() {
        const { states } = await edges();
        for (const state of EDGE_STATES) this.set({ state }, states.get(state) ?? 0);
      },
    });
    this.observeWarnings(edges);
    this.observeEach(edges);
  }

  private observeWarnings(edges: () => Promise<EdgeSurvey>): void {
    const registers = [this.registry];
    const overAll = (name: string, help: string, valueOf: (survey: EdgeSurvey) => number): void => {
      new Gauge({
        name: `${PREFIX}${name}`,
        help,
        registers,
        async collect() {
          this.set(valueOf(await edges()));
        },
      });
    };
    overAll("edges_not_watching", "Edges that receive no revocations", ({ notWatching }) => notWatching);
    overAll("edges_double", "Edges whose node.id two Envoys have", ({ double }) => double);
    overAll("edges_clock_off", "Edges whose clock is more than 60 s off", ({ clockOff }) => clockOff);
    overAll(
      "clock_of_most_edges_offset_seconds",
      "By how much the clocks of most edges are ahead, where they agree on more than 60 s; else 0",
      ({ clockOfMost }) => (clockOfMost?.offsetMs ?? 0) / 1000,
    );
  }

  /** A series for each edge. */
  private observeEach(edges: () => Promise<EdgeSurvey>): void {
    const registers = [this.registry];
    const perEdge = (
      name: string,
      help: string,
      valueOf: (view: EdgeSummary) => number | null,
      prefix = PREFIX,
    ): void => {
      new Gauge({
        name: `${prefix}${name}`,
        help,
        labelNames: ["edge"],
        registers,
        async collect() {
          const { labelled } = await edges();
          this.reset();
          for (const view of labelled) {
            const value = valueOf(view);
            if (value !== null) this.set({ edge: view.edge }, value);
          }
        },
      });
    };
    perEdge("edge_running_generation", "Lowest generation of a policy that one of its workers runs", lowestRunning);
    perEdge("edge_clock_offset_seconds", "By how much the edge's clock is ahead of the control plane's", (view) => {
      return view.clockOffsetMs === null ? null : view.clockOffsetMs / 1000;
    });
    perEdge("edge_log_lag", "Invalidations that the edge has not marked its table for", ({ lag }) => lag);
    perEdge(
      "edge_silent_workers",
      "By how many fewer workers of the edge spoke lately than there were before",
      (view) => {
        return view.silentWorkers;
      },
    );
    const tables = "of the tables of its Envoys that watch";
    perEdge("table_records", `Records ${tables}`, (view) => view.tables?.records ?? null, EDGE_PREFIX);
    perEdge("table_capacity", `Capacity ${tables}`, (view) => view.tables?.capacity ?? null, EDGE_PREFIX);
  }
}

/** 0 where one of them runs a policy that came from no control plane. Null where none has said what it runs. */
function lowestRunning({ running }: EdgeSummary): number | null {
  const generations = Object.keys(running).map(Number);
  return generations.length === 0 ? null : Math.min(...generations);
}
