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
