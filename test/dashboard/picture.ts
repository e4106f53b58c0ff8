// The dashboard as a picture, where no Grafana is: panels of the same plans, drawn by a plotting library into one SVG.
import * as echarts from "echarts";
import type { PanelPlan, Unit } from "../../scripts/dashboard/plan.js";
import { inUnit } from "./units.js";

export interface Line {
  readonly name: string;
  /** `[ms since 1970, value]`. */
  readonly points: readonly (readonly [number, number])[];
}

export interface DrawnPanel {
  readonly plan: PanelPlan;
  readonly lines: readonly Line[];
}

/** Moments that all lines have a value at, or a gap: ms since 1970. */
export interface Time {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

const MARGIN = 14;
const PANEL = { width: 420, height: 250 };
const TILE = { height: 66 };
const HEAD = 46;
const ABREAST = 3;
const WIDTH = MARGIN + ABREAST * (PANEL.width + MARGIN);
const FONT = "sans-serif";
const COLOURS = ["#3274d9", "#e0752d", "#299c46", "#a352cc", "#e5ac0e", "#c4162a", "#2f9e9e", "#8a8d93", "#7b4b2a"];
const LEGEND_CHARS = 34;

/** @param tiles shown by their last value, above the others */
export function picture(
  title: string,
  time: Time,
  tiles: readonly DrawnPanel[],
  panels: readonly DrawnPanel[],
): string {
  const rows = Math.ceil(panels.length / ABREAST);
  const top = HEAD + TILE.height + MARGIN;
  const height = top + rows * (PANEL.height + MARGIN);
  const tileWidth = (WIDTH - MARGIN) / tiles.length - MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="${FONT}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#f4f5f5"/>`,
    `<text x="${MARGIN}" y="29" font-size="17" font-weight="bold" fill="#24292e">${escaped(title)}</text>`,
    ...tiles.map((tile, at) => tileOf(tile, MARGIN + at * (tileWidth + MARGIN), tileWidth)),
    ...panels.map((panel, at) => {
      const x = MARGIN + (at % ABREAST) * (PANEL.width + MARGIN);
      return plotOf(panel, time, x, top + Math.floor(at / ABREAST) * (PANEL.height + MARGIN));
    }),
    "</svg>",
    "",
  ].join("\n");
}

const card = (x: number, y: number, width: number, height: number): string =>
  `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${height}" fill="#fff" stroke="#dcdfe3"/>`;

function tileOf({ plan, lines }: DrawnPanel, x: number, width: number): string {
  const value = lines[0]?.points.at(-1)?.[1] ?? NaN;
  const step = plan.thresholds?.findLast(({ from }) => value >= from);
  const fill = step === undefined ? "#24292e" : { green: "#299c46", yellow: "#b58100", red: "#c4162a" }[step.colour];
  const middle = (x + width / 2).toFixed(1);
  return [
    card(x, HEAD, width, TILE.height),
    `<text x="${middle}" y="${HEAD + 20}" font-size="12" text-anchor="middle" fill="#464c54">${escaped(plan.title)}</text>`,
    `<text x="${middle}" y="${HEAD + 50}" font-size="24" text-anchor="middle" fill="${fill}">${escaped(inUnit(value, plan.unit))}</text>`,
  ].join("\n");
}

function plotOf(panel: DrawnPanel, time: Time, x: number, y: number): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, ...PANEL });
  chart.setOption(optionsOf(panel, time));
  const drawn = chart.renderToSVGString().replace("<svg ", `<svg x="${x}" y="${y}" `);
  chart.dispose();
  return `${card(x, y, PANEL.width, PANEL.height)}\n${drawn}`;
}

function optionsOf({ plan, lines }: DrawnPanel, time: Time): echarts.EChartsOption {
  const stacked = plan.kind === "areas";
  return {
    animation: false,
    color: COLOURS,
    textStyle: { fontFamily: FONT },
    title: { text: plan.title, left: 10, top: 8, textStyle: { fontSize: 13, color: "#24292e" } },
    grid: { left: 58, right: 16, top: 38, bottom: 76 },
    legend: {
      type: "plain",
      bottom: 6,
      left: 10,
      right: 10,
      icon: "roundRect",
      itemWidth: 10,
      itemHeight: 4,
      itemGap: 16,
      textStyle: { fontSize: 10 },
      formatter: (name: string) => (name.length > LEGEND_CHARS ? `${name.slice(0, LEGEND_CHARS - 1)}…` : name),
    },
    xAxis: {
      type: "time",
      min: time.from,
      max: time.to,
      axisLabel: { fontSize: 10, hideOverlap: true, formatter: "{mm}:{ss}" },
      splitNumber: 4,
    },
    yAxis: {
      type: "value",
      min: 0,
      splitNumber: 4,
      ...(isWhole(plan.unit) && { minInterval: 1 }),
      axisLabel: { fontSize: 10, formatter: (value: number) => inUnit(value, plan.unit) },
      splitLine: { lineStyle: { color: "#eceef0" } },
    },
    series: lines.map(({ name, points }) => ({
      type: "line" as const,
      name,
      data: onGrid(points, time, stacked ? 0 : null),
      showSymbol: false,
      lineStyle: { width: stacked ? 0.8 : 1.6 },
      ...(stacked && { stack: "all", areaStyle: { opacity: 0.55 } }),
    })),
  };
}

/** The library adds up what stands at the same place, not at the same time. */
function onGrid(points: Line["points"], { from, to, step }: Time, gap: number | null): [number, number | null][] {
  const values = new Map(points.map(([at, value]) => [Math.round((at - from) / step), value]));
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, nth) => {
    const value = values.get(nth) ?? NaN;
    return [Math.round(from + nth * step), Number.isFinite(value) ? Number(value.toPrecision(4)) : gap];
  });
}

const isWhole = (unit: Unit): boolean => unit === "count" || unit === "generation" || unit === "yes or no";

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
