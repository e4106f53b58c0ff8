// Where each edge is: its state, its policy, its workers, its place in the log of invalidations, its clock.
import { query, type RowPlan, ZERO_IS_RIGHT } from "../plan.js";
import { EDGE, inTenMinutes, ofAny, ofAnySummed, series, sum } from "../promql.js";

export const EDGES: RowPlan = {
  title: "Edges and generations",
  abreast: 4,
  panels: [
    {
      title: "Edges by state",
      kind: "areas",
      unit: "count",
      description:
        "behind: does not take the policy. rejected and trapped: cannot. silent: no contact. 'sluice edges' says which, and why.",
      queries: [query(ofAnySummed("sluice_control_edges", ["state"]), "{{state}}")],
      alerts: ["SluicePolicyNotTaken", "SluicePolicyRejected", "SluicePolicyTrapped", "SluiceEdgeSilent"],
    },
    {
      title: "Generation that each edge runs",
      kind: "lines",
      unit: "generation",
      description:
        "The lowest of its workers', beside the policy in force. A line that stays below: that edge does not follow.",
      queries: [
        query(ofAny("sluice_control_edge_running_generation", ["edge"], EDGE), "{{edge}}"),
        query(ofAny("sluice_control_policy_generation", []), "in force"),
      ],
      alerts: ["SluicePolicyNotTaken"],
    },
    {
      title: "Silent workers",
      kind: "lines",
      unit: "count",
      description:
        "Workers of an edge that reported and no longer do. They may serve without the filter: restart that Envoy.",
      queries: [query(ofAny("sluice_control_edge_silent_workers", ["edge"], EDGE), "{{edge}}")],
      thresholds: ZERO_IS_RIGHT,
      alerts: ["SluiceWorkerSilent"],
    },
    {
      title: "Invalidations not applied",
      kind: "lines",
      unit: "count",
      description:
        "Revocations that an edge's table is not marked for: those sessions may go on there. More than a moment is a fault.",
      queries: [query(ofAny("sluice_control_edge_log_lag", ["edge"], EDGE), "{{edge}}")],
      alerts: ["SluiceEdgeBehind"],
    },
    {
      title: "Clocks",
      kind: "lines",
      unit: "seconds",
      description:
        "By how much an edge's clock is ahead of the control plane's. Beyond 60 s it misjudges the age of sessions in an outage.",
      queries: [query(ofAny("sluice_control_edge_clock_offset_seconds", ["edge"], EDGE), "{{edge}}")],
      alerts: ["SluiceEdgeClockOff", "SluiceClockDiffers"],
    },
    {
      title: "Edges that need a look",
      kind: "lines",
      unit: "count",
      description:
        "not watching: they receive no revocations. double: two Envoys have one node.id. clock: more than 60 s off. 'sluice edges' names them.",
      queries: [
        query(ofAnySummed("sluice_control_edges_not_watching", []), "not watching"),
        query(ofAnySummed("sluice_control_edges_double", []), "double"),
        query(ofAnySummed("sluice_control_edges_clock_off", []), "clock"),
      ],
      thresholds: ZERO_IS_RIGHT,
      alerts: ["SluiceEdgeNotWatching", "SluiceEdgeDouble", "SluiceEdgeClockOff"],
    },
    {
      title: "Saved and not in force",
      kind: "lines",
      unit: "yes or no",
      description:
        "rejected: the policy file has a fault. held: it would end live sessions and waits for 'sluice policy confirm'. behind: another control plane has a newer one. issuers: their file has a fault.",
      queries: [
        query(`max(${series("sluice_control_policy_file_rejected")})`, "rejected"),
        query(`max(${series("sluice_control_policy_held")})`, "held"),
        query(`max(${series("sluice_control_policy_file_behind")})`, "behind"),
        query(`max(${series("sluice_control_issuers_file_rejected")})`, "issuers"),
      ],
      thresholds: ZERO_IS_RIGHT,
      alerts: ["SluicePolicyFileRejected", "SluicePolicyHeld", "SluicePolicyFileBehind", "SluiceIssuersFileRejected"],
    },
    {
      title: "Callers that were turned away",
      kind: "lines",
      unit: "count",
      description:
        "In 10 minutes. another secret: an Envoy that was set up wrongly, or none. too many instances: a fleet that starts at once, or a flood of made-up ones.",
      queries: [
        query(sum(inTenMinutes("sluice_control_edge_calls_unauthenticated_total")), "another secret"),
        query(sum(inTenMinutes("sluice_control_edge_instances_denied_total")), "too many instances"),
      ],
      thresholds: ZERO_IS_RIGHT,
      alerts: ["SluiceEdgeUnauthenticated"],
    },
  ],
};
