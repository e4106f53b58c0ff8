// The table of costs as text: printed, kept in cost.md, and read from there.
import type { Cost } from "./measure.js";

interface Column {
  readonly title: string;
  /** Fixed, so that a figure that grows changes one line; the last column has none. */
  readonly width: number;
  readonly align?: "right";
}

const PLACE: readonly Column[] = [
  { title: "build", width: 6 },
  { title: "path", width: 12 },
  { title: "side", width: 8 },
];
const figure = (title: string, width: number): Column => ({ title, width, align: "right" });
const COSTS = [...PLACE, figure("instructions", 12), figure("host calls", 10), { title: "which", width: 0 }];
const COMPARISON = [
  ...PLACE,
  figure("instructions before", 19),
  figure("now", 6),
  figure("ratio", 5),
  figure("host calls before", 17),
  figure("now", 3),
];

export function costTable(costs: readonly Cost[]): string {
  const rows = costs.map((cost) => [...placeOf(cost), cost.instructions, cost.hostCalls.length, callsText(cost)]);
  return markdown(COSTS, rows);
}

/** Of the paths that stand in both. */
export function comparisonTable(before: readonly Cost[], now: readonly Cost[]): string {
  const rows = now.flatMap((cost) => {
    const old = before.find((each) => keyOf(each) === keyOf(cost));
    if (old === undefined) return [];
    const ratio = old.instructions === 0 ? "" : (cost.instructions / old.instructions).toFixed(3);
    const figures = [old.instructions, cost.instructions, ratio, old.hostCalls.length, cost.hostCalls.length];
    return [[...placeOf(cost), ...figures]];
  });
  return markdown(COMPARISON, rows);
}

/** @param text has the table of costTable, with any text around it */
export function readCosts(text: string): Cost[] {
  const rows = text.split("\n").filter((line) => /^\| (full|lean|settle) /.test(line));
  return rows.map((row) => {
    const [build, path = "", side, instructions, , which = ""] = row
      .split("|")
      .slice(1)
      .map((cell) => cell.trim());
    if ((build !== "full" && build !== "lean" && build !== "settle") || (side !== "request" && side !== "response"))
      throw new Error(`no row of a table of costs: ${row}`);
    return { build, path, side, instructions: Number(instructions), hostCalls: callsOf(which) };
  });
}

export function keyOf(cost: Cost): string {
  return placeOf(cost).join(", ");
}

function placeOf({ build, path, side }: Cost): string[] {
  return [build, path, side];
}

/** In order: "proxy_get_shared_data, proxy_add_header_map_value ×2". */
export function callsText({ hostCalls }: Pick<Cost, "hostCalls">): string {
  const runs: { name: string; times: number }[] = [];
  for (const name of hostCalls) {
    const last = runs.at(-1);
    if (last?.name === name) last.times += 1;
    else runs.push({ name, times: 1 });
  }
  return runs.map(({ name, times }) => (times === 1 ? name : `${name} ×${times}`)).join(", ");
}

function callsOf(text: string): string[] {
  if (text === "") return [];
  return text.split(", ").flatMap((run) => {
    const [name = "", times = "1"] = run.split(" ×");
    return Array.from({ length: Number(times) }, () => name);
  });
}

function markdown(columns: readonly Column[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${columns.map((column, index) => padded(String(cells[index] ?? ""), column)).join(" | ")} |`;
  const rule = columns.map(({ title, width, align }) => {
    const dashes = "-".repeat(Math.max(width, title.length));
    return align === "right" ? `${dashes.slice(1)}:` : dashes;
  });
  return [line(columns.map(({ title }) => title)), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

function padded(cell: string, { title, width, align }: Column): string {
  const full = Math.max(width, title.length);
  return align === "right" ? cell.padStart(full) : cell.padEnd(full);
}
