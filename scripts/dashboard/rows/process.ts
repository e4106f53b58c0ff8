// The control plane as a process. What Node and the operating system say of it has the usual names.
import { query, type RowPlan, ZERO_IS_RIGHT } from "../plan.js";
import { inTenMinutes, inTenMinutesOrFirst, orZero, perSecond, series, sum } from "../promql.js";

const LAG = "nodejs_eventloop_lag";

export const PROCESS: RowPlan = {
  title: "Control plane process",
  abreast: 4,
  panels: [
    {
      title: "CPU",
      kind: "lines",
      unit: "cores",
      description:
        "It decides on one thread: near 1 it is as busy as it can be. Add a control plane over a shared store.",
      queries: [query(perSecond("process_cpu_seconds_total"), "{{instance}}")],
      thresholds: [
        { from: 0, colour: "green" },
        { from: 0.8, colour: "yellow" },
      ],
    },
    {
      title: "Memory",
      kind: "lines",
      unit: "bytes",
      description:
        "Resident, and of it JavaScript's heap. A heap that only grows is a defect; resident memory counts mapped pages of a folder's store too.",
      queries: [
        query(series("process_resident_memory_bytes"), "{{instance}}"),
        query(series("nodejs_heap_size_used_bytes"), "{{instance}} heap"),
      ],
    },
    {
      title: "Event loop lag",
      kind: "lines",
      unit: "seconds",
      description:
        "How late timers come. p99 above 0.1 s holds up every call: too much load, or a machine that has no core left.",
      queries: [
        query(series(`${LAG}_p50_seconds`), "{{instance}} p50"),
        query(series(`${LAG}_p99_seconds`), "{{instance}} p99"),
      ],
      thresholds: [
        { from: 0, colour: "green" },
        { from: 0.1, colour: "red" },
      ],
    },
    {
      title: "Connections",
      kind: "lines",
      unit: "count",
      description:
        "Open ones by listener, and whether they have shown a credential. Many without one: a scan, or a probe that keeps them.",
      queries: [
        query(
          sum(series("sluice_control_connections"), "instance", "listener", "authenticated"),
          "{{instance}} {{listener}}, credential {{authenticated}}",
        ),
      ],
    },
    {
      title: "Connections closed by a bound",
      kind: "lines",
      unit: "count",
      description:
        "In 10 minutes, for a newer one. total: callers with a credential were among them; raise the bound, or find who opens so many.",
      queries: [query(orZero(sum(inTenMinutesOrFirst("sluice_control_connections_dropped_total"))), "closed")],
    },
    {
      title: "Lines of the log that were lost",
      kind: "lines",
      unit: "count",
      description: "In 10 minutes: a full disk, or a reader of the log that is gone or stands still.",
      queries: [query(sum(inTenMinutes("sluice_control_log_lines_lost_total"), "instance"), "{{instance}}")],
      thresholds: ZERO_IS_RIGHT,
    },
    {
      title: "The machine's clock",
      kind: "lines",
      unit: "seconds",
      description:
        "jump: how far it jumped; after a grace, lifetimes follow it. store: how far it is ahead of the store's, by which all control planes go. See that it is synchronised.",
      queries: [
        query(series("sluice_control_clock_waiting_jump_seconds"), "{{instance}} jump"),
        query(series("sluice_control_store_clock_offset_seconds"), "{{instance}} store"),
      ],
      alerts: ["SluiceClockJumped", "SluiceStoreClockOff"],
    },
    {
      title: "Figures of edges without a place",
      kind: "lines",
      unit: "count",
      description:
        "In 10 minutes. no room: more edges, plans and limits than series, they count under _other. not known: edges are newer than the control plane; update that first.",
      queries: [
        query(sum(inTenMinutes("sluice_edge_series_dropped_total")), "no room"),
        query(orZero(sum(inTenMinutesOrFirst("sluice_edge_figures_dropped_total"))), "not known"),
      ],
      thresholds: ZERO_IS_RIGHT,
      alerts: ["SluiceSeriesDropped"],
    },
  ],
};
