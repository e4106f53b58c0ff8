// Plans of scope fleet: what edges ask for, what they are given, and what is lost.
import { query, type RowPlan } from "../plan.js";
import { EDGE, orZero, perEdge, perSecond, sum } from "../promql.js";

const TOKENS = "sluice_control_lease_tokens_total";
const LOST = 'what=~"expired|voided"';
const GRANTED = 'what="granted"';
const SETTLED = 'what!="granted"';

export const LEASES: RowPlan = {
  title: "Leases",
  abreast: 3,
  panels: [
    {
      title: "Asks of edges by outcome",
      kind: "areas",
      unit: "a second",
      description:
        "granted is the normal case. refused: the session lacks tokens, or others hold them. lost: no answer came.",
      queries: [query(sum(perSecond("sluice_edge_lease_asks_total", EDGE), "outcome"), "{{outcome}}")],
      alerts: ["SluiceLeasesStarved"],
    },
    {
      title: "Asks as the control plane answered",
      kind: "areas",
      unit: "a second",
      description: "malformed and many stale ones: an edge with another build, or answers that come too late.",
      queries: [query(sum(perSecond("sluice_control_lease_asks_total"), "outcome"), "{{outcome}}")],
    },
    {
      title: "Tokens",
      kind: "lines",
      unit: "tokens a second",
      description:
        "expired: nobody said what became of them, they count as spent. voided: their answer never counted, they are back.",
      queries: [query(sum(perSecond(TOKENS), "what"), "{{what}}")],
      alerts: ["SluiceLeasesStarved"],
    },
    {
      title: "Granted less settled",
      kind: "lines",
      unit: "tokens a second",
      description:
        "What goes out and is neither spent nor back as far as edges have said. About zero; above it for long: edges do not come back.",
      queries: [query(`${sum(perSecond(TOKENS, GRANTED))} - ${sum(perSecond(TOKENS, SETTLED))}`, "out")],
    },
    {
      title: "Granted and lost unspent",
      kind: "lines",
      unit: "share",
      description:
        "A fifth or more, while asks are refused: sessions get less than their limit. See calls that failed.",
      queries: [query(`(${orZero(sum(perSecond(TOKENS, LOST)))}) / ${sum(perSecond(TOKENS, GRANTED))}`, "lost")],
      thresholds: [
        { from: 0, colour: "green" },
        { from: 0.2, colour: "red" },
      ],
      alerts: ["SluiceLeasesStarved"],
    },
    {
      title: "Refused at the edge, and waiting",
      kind: "lines",
      unit: "requests a second",
      description:
        "refused: denied without a call, by what was refused a moment before. waited: held up until a lease came; many: leases are small beside the load.",
      queries: [
        query(perEdge(perSecond("sluice_edge_lease_refusals_total", EDGE)), "{{edge}} refused"),
        query(perEdge(perSecond("sluice_edge_lease_waits_total", EDGE)), "{{edge}} waited"),
      ],
    },
  ],
};
