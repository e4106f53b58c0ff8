// PromQL that is right for one control plane and for several over one store (docs/metrics.md): what each counts of itself is
// added up; what each shows of the store and of all edges is taken of any one of an installation.

/** Labels by which installations differ: two of them have two stores. */
const INSTALLATION = ["namespace", "job"];
const OF_INSTALLATION = INSTALLATION.map((label) => `${label}=~"$${label}"`);

/** Matchers of the variables that not every metric has the label of. */
export const EDGE = 'edge=~"$edge"';
export const PLAN = 'plan=~"$plan"';

export const series = (metric: string, ...matchers: readonly string[]): string =>
  `${metric}{${[...OF_INSTALLATION, ...matchers].join(", ")}}`;

export const perSecond = (metric: string, ...matchers: readonly string[]): string =>
  `rate(${series(metric, ...matchers)}[$__rate_interval])`;

/** Of what happens so seldom that a rate would say little, and counts from 0 on. */
export const inTenMinutes = (metric: string, ...matchers: readonly string[]): string =>
  `increase(${series(metric, ...matchers)}[10m])`;

/**
 * The same of a series that is there only once it has counted something: the first of it is no increase. Where its control plane was
 * not looked at then, and is no younger, it is an old one.
 */
export const inTenMinutesOrFirst = (metric: string, ...matchers: readonly string[]): string => {
  const counted = series(metric, ...matchers);
  const process = series("process_start_time_seconds");
  const wasSeen = `${process} offset 10m or ${process} > time() - 600`;
  const first = `${counted} unless ${counted} offset 10m and on (${[...INSTALLATION, "instance"].join(", ")}) (${wasSeen})`;
  return `(${first}) or ${inTenMinutes(metric, ...matchers)}`;
};

/** Of what each control plane counts by itself. */
export const sum = (expression: string, ...by: readonly string[]): string => aggregate("sum", expression, by);

/** Of what each control plane of an installation shows alike. */
export const ofAny = (metric: string, by: readonly string[], ...matchers: readonly string[]): string =>
  aggregate("max", series(metric, ...matchers), [...INSTALLATION, ...by]);

/** The same, of all installations that are chosen together. */
export const ofAnySummed = (metric: string, by: readonly string[], ...matchers: readonly string[]): string =>
  sum(ofAny(metric, by, ...matchers), ...by);

/** Zero where no such series is there yet: one that comes with its first fault. */
export const orZero = (expression: string): string => `${expression} or vector(0)`;

/** A line for each edge, of what each control plane counts of it: at zero as long as it has none of that. */
export const perEdge = (expression: string): string =>
  `${sum(expression, "edge")} or 0 * ${aggregate("max", series("sluice_control_edge_running_generation", EDGE), ["edge"])}`;

/** @param range as PromQL writes it; of what is measured seldom, a longer one */
export const quantile = (
  share: number,
  histogram: string,
  by: readonly string[] = [],
  range = "$__rate_interval",
): string => `histogram_quantile(${share}, ${sum(`rate(${series(`${histogram}_bucket`)}[${range}])`, "le", ...by)})`;

function aggregate(how: "sum" | "max", expression: string, by: readonly string[]): string {
  return by.length === 0 ? `${how}(${expression})` : `${how} by (${by.join(", ")}) (${expression})`;
}
