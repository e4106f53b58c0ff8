// Which limit denies, what shadow enforcement would deny, and what settled requests cost in the end.
import { type Query, query, type RowPlan } from "../plan.js";
import { EDGE, inTenMinutesOrFirst, perEdge, perSecond, PLAN, sum } from "../promql.js";

const REQUESTS = "sluice_edge_requests_total";

const tokens = (what: string): Query => query(sum(perSecond(`sluice_edge_tokens_${what}_total`, EDGE)), what);

export const LIMITS: RowPlan = {
  title: "Limits",
  abreast: 3,
  panels: [
    {
      title: "Denials by limit",
      kind: "areas",
      unit: "requests a second",
      description:
        "The limit that denied, as plan / limit; a plan's own bucket has the plan's name. One limit denying most of a plan is too tight, or has found its client.",
      queries: [
        query(sum(perSecond(REQUESTS, EDGE, PLAN, 'outcome="limited"'), "plan", "limit"), "{{plan}} / {{limit}}"),
      ],
    },
    {
      title: "Share of a plan's requests that is denied",
      kind: "lines",
      unit: "share",
      description:
        "Before you sell more of a plan: whether those who have it can use it. A plan without denials has no line.",
      queries: [
        query(
          `${sum(perSecond(REQUESTS, EDGE, PLAN, 'outcome="limited"'), "plan")} / ${sum(perSecond(REQUESTS, EDGE, PLAN, 'plan!=""'), "plan")}`,
          "{{plan}}",
        ),
      ],
      thresholds: [
        { from: 0, colour: "green" },
        { from: 0.5, colour: "yellow" },
      ],
    },
    {
      title: "Shadow denials",
      kind: "areas",
      unit: "requests a second",
      description:
        "Let through under shadow or observe, and would have been denied. Enforce once what is left here is what you mean to deny.",
      queries: [
        query(
          sum(perSecond(REQUESTS, EDGE, PLAN, 'outcome=~"shadow_.*"'), "outcome", "plan", "limit"),
          "{{outcome}} {{plan}} / {{limit}}",
        ),
      ],
    },
    {
      title: "Settled requests by outcome",
      kind: "areas",
      unit: "requests a second",
      description:
        "Of routes that reserve and settle. compressed, too_long, invalid: the response's cost cannot be read. no_note: too many under way.",
      queries: [query(sum(perSecond("sluice_edge_settlements_total", EDGE), "outcome"), "{{outcome}}")],
      alerts: ["SluiceCostsUnreadable", "SluiceSettlementsUnnoted"],
    },
    {
      title: "Tokens of settled requests",
      kind: "lines",
      unit: "tokens a second",
      description: "Where overdrawn grows, requests cost more than was reserved: reserve more.",
      queries: [tokens("reserved"), tokens("settled"), tokens("refunded"), tokens("overdrawn")],
    },
    {
      title: "Streams that will outlive their session",
      kind: "lines",
      unit: "count",
      description:
        "In 10 minutes. A worker keeps 4,096 open streams, 1,024 of a session: a revocation does not end what comes on top.",
      queries: [query(perEdge(inTenMinutesOrFirst("sluice_edge_streams_untracked_total", EDGE)), "{{edge}}")],
      alerts: ["SluiceStreamsUntracked"],
    },
  ],
};
