// Requests by what became of them, and sessions.
import { query, type RowPlan } from "../plan.js";
import { EDGE, ofAnySummed, perSecond, PLAN, sum } from "../promql.js";

const REQUESTS = "sluice_edge_requests_total";

export const TRAFFIC: RowPlan = {
  title: "Traffic",
  abreast: 3,
  panels: [
    {
      title: "Requests by outcome",
      kind: "areas",
      unit: "requests a second",
      description:
        "limited: 429. missing and invalid: 401; many invalid ones after a change of the secret are clients with old tokens. " +
        "unavailable and no_policy: 503, see Calls to the control plane. shadow_…: let through, and would not have been.",
      queries: [query(sum(perSecond(REQUESTS, EDGE, PLAN), "outcome"), "{{outcome}}")],
      alerts: ["SluiceControlPlaneNotAsked"],
    },
    {
      title: "Requests by plan",
      kind: "areas",
      unit: "requests a second",
      description: "Of sessions that the filter knew. _other: plans beyond the bound on series.",
      queries: [query(sum(perSecond(REQUESTS, EDGE, PLAN, 'plan!=""'), "plan"), "{{plan}}")],
    },
    {
      title: "Requests by edge",
      kind: "lines",
      unit: "requests a second",
      description:
        "As edges report it, every reportInterval. One that falls to nothing has no traffic, or no longer reports: see its state.",
      queries: [query(sum(perSecond(REQUESTS, EDGE, PLAN), "edge"), "{{edge}}")],
      alerts: ["SluiceEdgeSilent"],
    },
    {
      title: "Tokens spent by plan",
      kind: "areas",
      unit: "tokens a second",
      description:
        "From each plan's own bucket. Compare with its tokenRefillRate times its sessions before you change a limit.",
      queries: [query(sum(perSecond("sluice_edge_tokens_spent_total", EDGE, PLAN), "plan"), "{{plan}}")],
    },
    {
      title: "Live sessions by plan",
      kind: "areas",
      unit: "count",
      description:
        "In the store. A steady climb: sessions are issued and never end; see maxAge and idle expiry in the policy.",
      queries: [query(ofAnySummed("sluice_control_sessions_active", ["plan"], PLAN), "{{plan}}")],
    },
    {
      title: "Sessions that an Envoy met first",
      kind: "lines",
      unit: "a second",
      description:
        "What the control plane said of them. unverified, denied and busy: it could not be asked. Many forged ones: somebody guesses tokens.",
      queries: [query(sum(perSecond("sluice_edge_misses_total", EDGE), "outcome"), "{{outcome}}")],
      alerts: ["SluiceControlPlaneNotAsked"],
    },
  ],
};
