// Values as a reader of the picture sees them; Grafana has its own words for them.
import type { Unit } from "../../scripts/dashboard/plan.js";

const SUFFIX: Readonly<Record<Exclude<Unit, "seconds" | "bytes" | "share" | "yes or no">, string>> = {
  "requests a second": " req/s",
  "a second": " /s",
  "tokens a second": " tok/s",
  count: "",
  generation: "",
  cores: "",
};

export function inUnit(value: number, unit: Unit): string {
  if (Number.isNaN(value)) return "–";
  if (unit === "yes or no") return value === 1 ? "yes" : value === 0 ? "no" : "";
  if (unit === "share") return `${round(value * 100)} %`;
  if (unit === "bytes") return `${round(value / 2 ** 20)} MiB`;
  if (unit === "seconds") return inSeconds(value);
  return `${round(value)}${SUFFIX[unit]}`;
}

function inSeconds(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e-3) return `${round(value * 1e6)} µs`;
  return size < 1 ? `${round(value * 1e3)} ms` : `${round(value)} s`;
}

/** Three figures are enough to read. */
const round = (value: number): string => String(Number(value.toPrecision(3)));
