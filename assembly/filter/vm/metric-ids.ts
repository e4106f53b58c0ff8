// Envoy's ids of the metrics that this VM has named: each is asked for once. 0 is a valid id.
import { counter, gauge } from "../../host/metrics";

const ids: Map<string, u32> = new Map<string, u32>();

/** The id of a counter, made on first use. */
export function counterNamed(name: string): u32 {
  if (!ids.has(name)) ids.set(name, counter(name));
  return ids.get(name);
}

/** The id of a gauge, made on first use. */
export function gaugeNamed(name: string): u32 {
  if (!ids.has(name)) ids.set(name, gauge(name));
  return ids.get(name);
}

/**
 * One tag of a metric's name, as in `sluice_tokens_spent_total.plan=.=gold;.;`. In this form Istio's Envoys find the tags that
 * `extraStatTags` lists; envoy.yaml has them as `stats_tags`.
 */
export function metricTag(tag: string, value: string): string {
  return `${tag}=.=${value};.;`;
}
