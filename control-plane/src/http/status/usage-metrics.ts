// Metrics of usage and of the sweep.
import { Counter, Histogram } from "prom-client";
import type { Registry } from "prom-client";

import { DROP_REASONS } from "../../domain/decisions/reported-rows.js";
import type { DroppedRow } from "../../domain/decisions/reported-rows.js";
import type { ReportOutcome, UsageMeter } from "../../app/ports/usage-ports.js";
import { PREFIX } from "./metrics.js";

/** From a few sessions to millions of them. */
const CLEANUP_BUCKETS_S = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800];

export class UsageMetrics implements UsageMeter {
  private readonly reports: Counter;
  private readonly rows: Counter;
  private readonly dropped: Counter;
  private readonly tokens: Counter;
  private readonly runs: Counter;
  private readonly removed: Counter;
  private readonly duration: Histogram;

  constructor(registry: Registry) {
    const counter = (name: string, help: string, ...labelNames: string[]): Counter =>
      new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers: [registry] });
    this.reports = counter("reports_total", "Reports of edges, by outcome", "outcome");
    this.rows = counter("report_rows_total", "Rows of reports, by outcome", "outcome");
    this.dropped = counter("report_rows_dropped_total", "Rows of reports that were dropped, by reason", "reason");
    for (const reason of DROP_REASONS) this.dropped.inc({ reason }, 0);
    this.tokens = counter("tokens_consumed_total", "Tokens consumed, as far as edges have reported, by plan", "plan");
    this.runs = counter("cleanup_runs_total", "Sweeps over all sessions");
    this.removed = counter("cleanup_removed_total", "Sessions that ended by a sweep");
    this.duration = new Histogram({
      name: `${PREFIX}cleanup_duration_seconds`,
      help: "How long sweeps took",
      buckets: CLEANUP_BUCKETS_S,
      registers: [registry],
    });
  }

  reported(outcome: ReportOutcome, rows: number): void {
    this.reports.inc({ outcome });
    this.rows.inc({ outcome }, rows);
  }

  rowDropped(reason: DroppedRow["reason"]): void {
    this.dropped.inc({ reason });
  }

  tokensConsumed(plan: string, tokens: number): void {
    this.tokens.inc({ plan }, tokens);
  }

  swept(removed: number, durationMs: number): void {
    this.runs.inc();
    this.removed.inc(removed);
    this.duration.observe(durationMs / 1000);
  }
}
