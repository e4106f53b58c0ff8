// The control plane's metrics, as Prometheus reads them. One registry a server, none global.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

import type { AcquireOutcome, Meter, RemovalReason } from "../../app/ports/ports.js";

/** Of every metric of the control plane's own. Node's have none, so that dashboards made for any Node program show them. */
export const PREFIX = "sluice_control_";
/** From a second to a month; plans live minutes to days. */
const DURATION_BUCKETS_S = [1, 10, 60, 300, 900, 1800, 3600, 14_400, 43_200, 86_400, 604_800, 2_592_000];

/** Node's gauges that end as counters do; each is there by type too, as `nodejs_active_handles` and so on. */
const MISNAMED = ["handles", "requests", "resources"].map((kind) => `nodejs_active_${kind}_total`);

/** Where the number of live sessions comes from: plan name to number. */
export type LiveByPlan = () => Promise<ReadonlyMap<string, number>>;

export class Metrics implements Meter {
  readonly registry = new Registry();
  private readonly created = this.counter("sessions_created_total", "Sessions issued");
  private readonly removed = this.counter("sessions_removed_total", "Sessions that ended, by reason", "reason");
  private readonly acquires = this.counter("acquires_total", "Sessions asked for by edges, by outcome", "outcome");
  private readonly httpErrors = this.counter("http_errors_total", "HTTP requests answered by an error", "code");
  private readonly duration = new Histogram({
    name: `${PREFIX}session_duration_seconds`,
    help: "Age of sessions when they ended",
    buckets: DURATION_BUCKETS_S,
    registers: [this.registry],
  });

  constructor(liveByPlan: LiveByPlan) {
    collectDefaultMetrics({ register: this.registry });
    for (const name of MISNAMED) this.registry.removeSingleMetric(name);
    new Gauge({
      name: `${PREFIX}sessions_active`,
      help: "Sessions that are live, by plan",
      labelNames: ["plan"],
      registers: [this.registry],
      async collect() {
        const counts = await liveByPlan();
        this.reset();
        for (const [plan, count] of counts) this.set({ plan }, count);
      },
    });
  }

  /**
   * All of them, in Prometheus' text form. One that cannot be gathered is left out: while the store cannot be read, the
   * others say so.
   */
  async text(): Promise<string> {
    const { registry } = this;
    const gathered = registry
      .getMetricsAsArray()
      .map(({ name }) => registry.getSingleMetricAsString(name).catch(() => undefined));
    const texts = (await Promise.all(gathered)).filter((text) => text !== undefined);
    return `${texts.join("\n\n")}\n`;
  }

  sessionCreated(): void {
    this.created.inc();
  }

  sessionRemoved(reason: RemovalReason, durationMs: number): void {
    this.removed.inc({ reason });
    this.duration.observe(durationMs / 1000);
  }

  acquired(outcome: AcquireOutcome): void {
    this.acquires.inc({ outcome });
  }

  httpError(code: string): void {
    this.httpErrors.inc({ code });
  }

  private counter(name: string, help: string, ...labelNames: string[]): Counter {
    return new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers: [this.registry] });
  }
}
