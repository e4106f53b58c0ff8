// The metrics of a host: one value a name, whichever VM defined it, as in Envoy's stats store. They are asked for by the
// names that Prometheus sees.
import { METRIC_TYPES, WasmResult, type MetricType } from "./abi.js";

/** A tag in a guest's name of a metric, as envoy.yaml and Istio's bootstrap find it. */
const TAG = /(\w+)=\.=(.*?);\.;/g;

interface Metric {
  /** As the guest gave it, and as Prometheus sees it. */
  readonly name: string;
  readonly shown: string;
  readonly type: MetricType;
  value: bigint;
}

export class Metrics {
  readonly #metrics: Metric[] = [];
  /** Metrics that this host does not make, by the beginning of the guest's name. */
  readonly refused = new Set<string>();

  /** @param firstId what this host begins to number them with */
  constructor(readonly firstId: number) {}

  /** Returns the metric's id, or undefined for a type that there is not, or where the host refuses. The same name gives the same id. */
  define(typeNumber: number, name: string): number | undefined {
    const type = METRIC_TYPES[typeNumber];
    if (type === undefined || [...this.refused].some((start) => name.startsWith(start))) return undefined;
    const known = this.#metrics.findIndex((metric) => metric.name === name && metric.type === type);
    if (known >= 0) return this.firstId + known;
    return this.firstId + this.#metrics.push({ name, shown: shownName(name), type, value: 0n }) - 1;
  }

  /** As in Envoy, a counter takes no negative amount, and no 0. */
  increment(id: number, offset: bigint): number {
    const metric = this.#metrics[id - this.firstId];
    if (metric === undefined) return WasmResult.NotFound;
    if (metric.type === "histogram" || (metric.type === "counter" && offset <= 0n)) return WasmResult.BadArgument;
    metric.value += offset;
    return WasmResult.Ok;
  }

  /** Adds to a counter, sets a gauge, keeps a histogram's last value. */
  record(id: number, value: bigint): number {
    const metric = this.#metrics[id - this.firstId];
    if (metric === undefined) return WasmResult.NotFound;
    metric.value = metric.type === "counter" ? metric.value + value : value;
    return WasmResult.Ok;
  }

  get(id: number): bigint | undefined {
    return this.#metrics[id - this.firstId]?.value;
  }

  /** The sum of all metrics whose name has every given part: `sum("sluice_requests_total", 'outcome="allowed"')`. */
  sum(...parts: string[]): number {
    const matching = this.#metrics.filter((metric) => parts.every((part) => metric.shown.includes(part)));
    return Number(matching.reduce((total, metric) => total + metric.value, 0n));
  }

  /** As Prometheus sees them: `sluice_requests_total{outcome="allowed",plan="default"}`. */
  names(): string[] {
    return this.#metrics.map(({ shown }) => shown);
  }

  /** What each of them is. */
  values(): ReadonlyMap<string, number> {
    return new Map(this.#metrics.map(({ shown, value }) => [shown, Number(value)]));
  }
}

/** Envoy cuts the tags out of the name, and the dot that is left at its end. */
function shownName(name: string): string {
  const labels = [...name.matchAll(TAG)].map(([, label = "", value = ""]) => `${label}="${value}"`);
  const residual = name.replaceAll(TAG, "").replace(/\.+$/, "");
  return labels.length === 0 ? residual : `${residual}{${labels.join()}}`;
}
