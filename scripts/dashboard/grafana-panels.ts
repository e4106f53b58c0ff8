// Grafana's panels of the plans.
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
  GraphThresholdsStyleConfigBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  FieldColorBuilder,
  FieldColorModeId,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMap,
  MappingType,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as LinesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";
import type { PanelPlan, Query, Threshold, Unit } from "./plan.js";
import { DATASOURCE } from "./variables.js";

/** Of Grafana's grid, of 24 columns. */
export const HEIGHTS = { value: 4, lines: 8, areas: 8 } as const;

const UNITS: Readonly<Record<Unit, string>> = {
  "requests a second": units.RequestsPerSecond,
  "a second": units.OpsPerSecond,
  "tokens a second": "suffix: tokens/s",
  seconds: units.Seconds,
  bytes: units.BytesIEC,
  share: units.PercentUnit,
  count: units.Short,
  generation: units.NoUnit,
  "yes or no": units.NoUnit,
  cores: units.Short,
};
const YES_OR_NO: ValueMap = {
  type: MappingType.ValueToText,
  options: { 0: { text: "no", index: 0 }, 1: { text: "yes", index: 1 } },
};
const IN_ORDER: readonly Threshold[] = [{ from: 0, colour: "green" }];

/** @param width in columns of Grafana's grid */
export function grafanaPanel(plan: PanelPlan, id: number, width: number): Builder<Panel> {
  const panel = plan.kind === "value" ? valuePanel(plan) : linesPanel(plan);
  const links = (plan.alerts ?? []).map((alert) =>
    new DashboardLinkBuilder(alert)
      .type(DashboardLinkType.Link)
      .url(`\${runbook:raw}/${alert}.md`)
      .tooltip("What the alert means, and what to do")
      .targetBlank(true),
  );
  panel
    .id(id)
    .title(plan.title)
    .description(plan.description)
    .datasource(DATASOURCE)
    .unit(UNITS[plan.unit])
    .thresholds(thresholds(plan.thresholds ?? IN_ORDER))
    .span(width)
    .height(HEIGHTS[plan.kind])
    .links(links)
    .targets(plan.queries.map((query, at) => target(query, at, plan)));
  if (plan.unit === "yes or no") panel.mappings([YES_OR_NO]);
  return panel;
}

function valuePanel({ thresholds: coloured }: PanelPlan): StatBuilder {
  return new StatBuilder()
    .graphMode(BigValueGraphMode.Area)
    .colorMode(coloured === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]));
}

function linesPanel({ kind, unit, thresholds: coloured }: PanelPlan): LinesBuilder {
  const stacked = kind === "areas";
  const panel = new LinesBuilder()
    .lineWidth(1)
    .fillOpacity(stacked ? 40 : 0)
    .showPoints(VisibilityMode.Never)
    .axisSoftMin(0)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic))
    .stacking(new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None))
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (unit === "yes or no") panel.min(0).max(1);
  if (unit === "count" || unit === "generation") panel.decimals(0);
  // A line at the value from which something is to be done. At zero it would be the axis.
  const lines = (coloured ?? []).some(({ from }) => from > 1e-6);
  return lines
    ? panel.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed))
    : panel;
}

function thresholds(steps: readonly Threshold[]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(steps.map(({ from, colour }, at) => ({ value: at === 0 ? null : from, color: colour })));
}

const REFS = "ABCDEFGH";

function target({ expr, legend }: Query, at: number, { kind }: PanelPlan): DataqueryBuilder {
  const query = new DataqueryBuilder()
    .expr(expr)
    .refId(REFS[at] ?? "Z")
    .datasource(DATASOURCE)
    .range();
  if (kind !== "value") query.legendFormat(legend);
  return query;
}
