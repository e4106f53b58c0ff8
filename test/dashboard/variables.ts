// The dashboard's variables as Grafana puts them in, for whoever asks Prometheus without Grafana.
export interface Chosen {
  /** Of the rates, as PromQL writes it; not given: a minute. */
  readonly rate?: string;
  /** In place of a window that the dashboard has for what happens seldom; not given: as it is. */
  readonly seldom?: string;
}

const ALL = ".*";
const NAMES = ["namespace", "job", "edge", "plan"];

/** Everything is chosen. @throws where a variable is none of those that the dashboard has */
export function withVariables(expr: string, { rate = "1m", seldom = "10m" }: Chosen = {}): string {
  const ranged = expr.replaceAll("$__rate_interval", rate).replaceAll(/(\[|offset )10m/g, `$1${seldom}`);
  const filled = NAMES.reduce((text, name) => text.replaceAll(`"$${name}"`, `"${ALL}"`), ranged);
  if (filled.includes("$")) throw new Error(`unknown variable in ${filled}`);
  return filled;
}
