// What a panel of the dashboard says, as data: Grafana's panels and the picture in the documents are both made of it.

/** How its values are to be read; grafana-panels.ts has Grafana's word for each. */
export type Unit =
  | "requests a second"
  | "a second"
  | "tokens a second"
  | "seconds"
  | "bytes"
  | "share"
  | "count"
  | "generation"
  | "yes or no"
  | "cores";

/** Step at which a value is coloured; the first holds from the lowest value on. */
export interface Threshold {
  readonly from: number;
  readonly colour: "green" | "yellow" | "red";
}

export interface Query {
  /** PromQL with Grafana's variables in it. */
  readonly expr: string;
  /** Of a series, with `{{label}}`s. */
  readonly legend: string;
}

export interface PanelPlan {
  readonly title: string;
  /** `lines` one beside the other; `areas` on top of one another: their sum means something; `value`: the last one. */
  readonly kind: "lines" | "areas" | "value";
  /** Says what to do about it, too. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly [Query, ...Query[]];
  readonly thresholds?: readonly Threshold[];
  /** Alerts that go by the same figures: their pages of the runbook are linked. */
  readonly alerts?: readonly string[];
}

export interface RowPlan {
  readonly title: string;
  /** How many of its panels stand beside each other. */
  readonly abreast: 3 | 4 | 8;
  readonly panels: readonly PanelPlan[];
}

/** Anything above zero is a fault. */
export const ZERO_IS_RIGHT: readonly Threshold[] = [
  { from: 0, colour: "green" },
  { from: 1e-9, colour: "red" },
];
/** Anything below one is a fault. */
export const ONE_IS_RIGHT: readonly Threshold[] = [
  { from: 0, colour: "red" },
  { from: 1, colour: "green" },
];

export const query = (expr: string, legend = ""): Query => ({ expr, legend });
