// The session table of each Envoy: how full it is, what has made room, and where workers stand in each other's way.
import { query, type RowPlan, ZERO_IS_RIGHT } from "../plan.js";
import { EDGE, inTenMinutesOrFirst, ofAny, perEdge, perSecond } from "../promql.js";

export const TABLE: RowPlan = {
  title: "Session table",
  abreast: 3,
  panels: [
    {
      title: "Slots in use",
      kind: "lines",
      unit: "share",
      description:
        "Records over capacity. A slot is used again and never emptied, so a full table alone is no fault; with evictions that are restored it is too small.",
      queries: [
        query(
          `${ofAny("sluice_edge_table_records", ["edge"], EDGE)} / ${ofAny("sluice_edge_table_capacity", ["edge"], EDGE)}`,
          "{{edge}}",
        ),
      ],
      thresholds: [
        { from: 0, colour: "green" },
        { from: 0.8, colour: "yellow" },
      ],
      alerts: ["SluiceTableOverused"],
    },
    {
      title: "Evictions and restores",
      kind: "lines",
      unit: "a second",
      description:
        "Evictions: records that made room. Restores: sessions that came back and were fetched again. Both high: raise table.capacity.",
      queries: [
        query(perEdge(perSecond("sluice_edge_table_evictions_total", EDGE)), "{{edge}} evicted"),
        query(perEdge(perSecond("sluice_edge_restores_total", EDGE)), "{{edge}} restored"),
      ],
      alerts: ["SluiceTableOverused"],
    },
    {
      title: "New sessions without a slot",
      kind: "lines",
      unit: "count",
      description:
        "In 10 minutes. All 16 slots of a set were in use or not yet reported. If reports fail, mend that; else raise table.capacity.",
      queries: [query(perEdge(inTenMinutesOrFirst("sluice_edge_table_full_total", EDGE)), "{{edge}}")],
      thresholds: ZERO_IS_RIGHT,
      alerts: ["SluiceTableFull"],
    },
    {
      title: "Writes that another worker came before",
      kind: "lines",
      unit: "a second",
      description:
        "Tried again at once. Far fewer than requests is normal; one hot session on all workers makes them grow.",
      queries: [query(perEdge(perSecond("sluice_edge_cas_retries_total", EDGE)), "{{edge}}")],
    },
    {
      title: "Given up for contention",
      kind: "lines",
      unit: "count",
      description:
        "In 10 minutes: 32 lost writes in a row. They followed onContention. One session has more load than a set can carry.",
      queries: [query(perEdge(inTenMinutesOrFirst("sluice_edge_cas_exhausted_total", EDGE)), "{{edge}}")],
      thresholds: ZERO_IS_RIGHT,
      alerts: ["SluiceContention"],
    },
    {
      title: "Records",
      kind: "lines",
      unit: "count",
      description: "Slots that hold a record, and what the table has room for.",
      queries: [
        query(ofAny("sluice_edge_table_records", ["edge"], EDGE), "{{edge}}"),
        query(ofAny("sluice_edge_table_capacity", ["edge"], EDGE), "{{edge}} capacity"),
      ],
    },
  ],
};
