// What edges ask the control plane, how long its answers take, and how soon revocations and policies are everywhere.
import { query, type PanelPlan, type RowPlan } from "../plan.js";
import { EDGE, perEdge, perSecond, quantile, series, sum } from "../promql.js";

/** Of what is measured when somebody revokes, or saves a policy. */
const SELDOM = "10m";

const propagation = (title: string, histogram: string, description: string, alerts: readonly string[]): PanelPlan => ({
  title,
  kind: "lines",
  unit: "seconds",
  description,
  queries: [query(quantile(0.5, histogram, [], SELDOM), "p50"), query(quantile(0.99, histogram, [], SELDOM), "p99")],
  thresholds: [
    { from: 0, colour: "green" },
    { from: 1, colour: "yellow" },
    { from: 5, colour: "red" },
  ],
  alerts,
});

const CALLS = "sluice_control_edge_call_duration_seconds";

export const CALLS_OF_EDGES: RowPlan = {
  title: "Calls to the control plane",
  abreast: 4,
  panels: [
    {
      title: "How long answers take",
      kind: "lines",
      unit: "seconds",
      description:
        "From a call's arrival to its answer. An acquire or a lease holds up a request of a client: near acquireTimeout it fails. See the store's updates.",
      queries: [
        query(quantile(0.5, CALLS, ["call"]), "{{call}} p50"),
        query(quantile(0.99, CALLS, ["call"]), "{{call}} p99"),
      ],
    },
    {
      title: "Calls by edge",
      kind: "lines",
      unit: "a second",
      description: "All of them, as edges count them. An edge without calls has no route to the control plane.",
      queries: [query(sum(perSecond("sluice_edge_calls_total", EDGE), "edge", "call"), "{{edge}} {{call}}")],
    },
    {
      title: "Calls that failed",
      kind: "lines",
      unit: "a second",
      description:
        "As edges saw them, once they can report again. unauthorized: another secret. no_cluster, no_host: Envoy's configuration. timeout, overloaded: a control plane that is slow.",
      queries: [
        query(
          sum(perSecond("sluice_edge_calls_total", EDGE, 'outcome!="ok"'), "call", "outcome"),
          "{{call}} {{outcome}}",
        ),
      ],
      alerts: ["SluiceControlPlaneNotAsked", "SluiceReportsFail"],
    },
    propagation(
      "A revocation is everywhere",
      "sluice_control_revocation_propagation_seconds",
      "From its commit until each Envoy has confirmed it, of the last 10 minutes. Slow: see invalidations not applied, and watches.",
      ["SluiceRevocationsSlow", "SluiceEdgeBehind"],
    ),
    propagation(
      "A policy is everywhere",
      "sluice_control_policy_propagation_seconds",
      "From its decision until each worker reports that it runs it, of the last 10 minutes. Slow: see the generation of each edge.",
      ["SluicePolicyNotTaken"],
    ),
    {
      title: "Reports that failed",
      kind: "lines",
      unit: "a second",
      description: "Their rows go again. As long as it lasts, budgets are not kept and records cannot be evicted.",
      queries: [query(perEdge(perSecond("sluice_edge_report_failures_total", EDGE)), "{{edge}}")],
      alerts: ["SluiceReportsFail"],
    },
    {
      title: "Watches",
      kind: "lines",
      unit: "count",
      description:
        "Held now by each control plane: one for each table of each Envoy. An Envoy without one receives no revocations.",
      queries: [query(sum(series("sluice_control_watches_held"), "instance"), "{{instance}}")],
      alerts: ["SluiceEdgeNotWatching"],
    },
    {
      title: "Errors that were answered",
      kind: "lines",
      unit: "a second",
      description: "By error code, of operators' and edges' calls. docs/errors.md says what each means.",
      queries: [query(sum(perSecond("sluice_control_http_errors_total"), "code"), "{{code}}")],
    },
  ],
};
