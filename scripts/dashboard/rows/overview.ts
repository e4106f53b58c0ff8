// What an operator looks at first: whether anything is wrong at all.
import { ONE_IS_RIGHT, query, type RowPlan, ZERO_IS_RIGHT } from "../plan.js";
import { EDGE, ofAny, orZero, perSecond, PLAN, series, sum } from "../promql.js";

const REQUESTS = "sluice_edge_requests_total";
const DENIED = 'outcome=~"limited|missing|invalid|unavailable|no_policy"';
const OUT_OF_ORDER = 'outcome=~"unavailable|no_policy"';

export const OVERVIEW: RowPlan = {
  title: "Now",
  abreast: 8,
  panels: [
    {
      title: "Requests",
      kind: "value",
      unit: "requests a second",
      description: "Requests of all edges, whatever became of them. None, with clients about: see the edges by state.",
      queries: [query(sum(perSecond(REQUESTS, EDGE, PLAN)))],
    },
    {
      title: "Denied",
      kind: "value",
      unit: "share",
      description:
        "Of all requests, those answered 401, 429 or 503 by the filter. See Traffic for which, and Limits for which limit.",
      queries: [
        query(`(${orZero(sum(perSecond(REQUESTS, EDGE, PLAN, DENIED)))}) / ${sum(perSecond(REQUESTS, EDGE, PLAN))}`),
      ],
      thresholds: [
        { from: 0, colour: "green" },
        { from: 0.2, colour: "yellow" },
      ],
    },
    {
      title: "Answered 503",
      kind: "value",
      unit: "requests a second",
      description:
        "Denied for no fault of the client: the control plane did not answer, the table was full, or an edge has no policy yet.",
      queries: [query(orZero(sum(perSecond(REQUESTS, EDGE, OUT_OF_ORDER))))],
      thresholds: ZERO_IS_RIGHT,
      alerts: ["SluiceControlPlaneNotAsked"],
    },
    {
      title: "Sessions",
      kind: "value",
      unit: "count",
      description: "Live sessions in the store, counted at most every 5 s.",
      queries: [query(sum(ofAny("sluice_control_sessions_active", ["plan"], PLAN)))],
    },
    {
      title: "Edges out of order",
      kind: "value",
      unit: "count",
      description:
        "Edges in another state than current. A moment after a policy was saved they are waiting; then none is.",
      queries: [query(sum(ofAny("sluice_control_edges", ["state"], 'state!="current"')))],
      thresholds: ZERO_IS_RIGHT,
      alerts: ["SluicePolicyNotTaken", "SluiceEdgeSilent"],
    },
    {
      title: "Control planes",
      kind: "value",
      unit: "count",
      description: "Processes that Prometheus hears of. Fewer than you run: one is gone, or is not scraped.",
      queries: [query(`count(${series("sluice_control_watches_held")})`)],
      thresholds: ONE_IS_RIGHT,
      alerts: ["SluiceControlPlaneAbsent", "SluiceControlPlaneDown"],
    },
    {
      title: "Store takes writes",
      kind: "value",
      unit: "yes or no",
      description:
        "No: at one control plane at least, sessions are not issued and revocations not taken. Its /readyz says why.",
      queries: [query(`min(${series("sluice_control_store_writable")})`)],
      thresholds: ONE_IS_RIGHT,
      alerts: ["SluiceStoreUnwritable"],
    },
    {
      title: "Policy",
      kind: "value",
      unit: "generation",
      description: "Generation of the policy in force. It grows with each policy that is saved and taken.",
      queries: [query(`max(${series("sluice_control_policy_generation")})`)],
    },
  ],
};
