// The store: how many updates, how long each takes, and whether it takes and keeps them.
import { ONE_IS_RIGHT, query, type RowPlan, ZERO_IS_RIGHT } from "../plan.js";
import { inTenMinutes, inTenMinutesOrFirst, orZero, perSecond, quantile, series, sum } from "../promql.js";

const UPDATES = "sluice_control_store_update_duration_seconds";

export const STORE: RowPlan = {
  title: "Store",
  abreast: 4,
  panels: [
    {
      title: "Updates by kind",
      kind: "areas",
      unit: "a second",
      description:
        "Decisions that were loaded, made and committed. Reports grow with edges, acquires with new sessions.",
      queries: [query(sum(perSecond(`${UPDATES}_count`), "kind"), "{{kind}}")],
    },
    {
      title: "How long an update takes",
      kind: "lines",
      unit: "seconds",
      description: "Load, decide and commit. All kinds slow: the disk or the server. One kind: its conflicts.",
      queries: [
        query(quantile(0.5, UPDATES), "p50"),
        query(quantile(0.99, UPDATES), "p99"),
        query(quantile(0.99, UPDATES, ["kind"]), "{{kind}} p99"),
      ],
    },
    {
      title: "Writable and durable",
      kind: "lines",
      unit: "yes or no",
      description:
        "writable 0: writes are answered 503, /readyz says why. durable 0: the next crash of the store may lose acknowledged writes.",
      queries: [
        query(`min(${series("sluice_control_store_writable")})`, "writable"),
        query(`min(${series("sluice_control_store_durable")})`, "durable"),
      ],
      thresholds: ONE_IS_RIGHT,
      alerts: ["SluiceStoreUnwritable", "SluiceStoreNotDurable"],
    },
    {
      title: "Conflicts between control planes",
      kind: "lines",
      unit: "a second",
      description:
        "Updates that another control plane came before, decided anew. Only where several share a store; few are normal.",
      queries: [
        query(orZero(sum(perSecond("sluice_control_store_conflicts_total"))), "all"),
        query(sum(perSecond("sluice_control_store_conflicts_total"), "kind"), "{{kind}}"),
      ],
    },
    {
      title: "Given up, and lost",
      kind: "lines",
      unit: "count",
      description:
        "In 10 minutes. given up: others came first 16 times, the caller was answered 503. lost: a server took over without what it had acknowledged.",
      queries: [
        query(orZero(sum(inTenMinutesOrFirst("sluice_control_store_given_up_total"))), "given up"),
        query(orZero(sum(inTenMinutes("sluice_control_store_commits_lost_total"))), "lost"),
      ],
      thresholds: ZERO_IS_RIGHT,
      alerts: ["SluiceStoreConflictsGivenUp", "SluiceStoreCommitsLost"],
    },
    {
      title: "Sessions that ended",
      kind: "areas",
      unit: "a second",
      description: "revoked, replaced by a newer one of their user, idle, or expired by age.",
      queries: [query(sum(perSecond("sluice_control_sessions_removed_total"), "reason"), "{{reason}}")],
    },
    {
      title: "Rows of reports",
      kind: "lines",
      unit: "a second",
      description:
        "rejected: too much waited to be written, they come again. dropped: they cannot be, the log names them.",
      queries: [
        query(sum(perSecond("sluice_control_report_rows_total"), "outcome"), "{{outcome}}"),
        query(orZero(sum(perSecond("sluice_control_report_rows_dropped_total"))), "dropped"),
      ],
    },
    {
      title: "Sweeps",
      kind: "lines",
      unit: "count",
      description: "In 10 minutes, of all control planes together. None for long: idle sessions do not end.",
      queries: [query(sum(inTenMinutes("sluice_control_cleanup_runs_total")), "sweeps")],
      alerts: ["SluiceNoSweep"],
    },
  ],
};
