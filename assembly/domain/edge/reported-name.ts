// What a counter is called in a report: its name in Envoy without what all of them have in common.

const PREFIX = "sluice_";
const SUFFIX = "_total";

/** `requests.outcome=allowed.plan=gold` for `sluice_requests_total.outcome=.=allowed;.;plan=.=gold;.;`. */
export function reportedName(metric: string): string {
  const dot = metric.indexOf(".");
  const family = dot < 0 ? metric : metric.substring(0, dot);
  const name = family.substring(PREFIX.length, family.length - SUFFIX.length);
  if (dot < 0) return name;
  const tags = metric.substring(dot).replaceAll("=.=", "=").replaceAll(";.;", ".");
  return name + tags.substring(0, tags.length - 1);
}
