// The metrics that this VM has named: each is asked for once of Envoy. Of a counter also what the VM has counted since its life
// began, which travels with reports (edge/report-counters.ts).
import { addToMetric, counter, gauge, setGauge } from "../../host/metrics";
import { fixedText } from "../../memory/bytes";
import { reportedName } from "../../domain/edge/reported-name";

/** Outside of the managed heap, and for good: the garbage collector visits each object that is kept, after every answer. */
@unmanaged
export class Metric {
  /** Added since the VM's life began. */
  total: u64;
  /** What the last answered report said of it. */
  answered: u64;
  /** What the answer to the report that is out will say was received. */
  sent: u64;
  /** Envoy's. */
  id: u32;
  /** Of a counter: its name in a report, a FixedText. */
  name: usize;
  /** The next counter; after the newest comes the oldest. */
  next: usize;
}

/** Addresses, by name. */
const named: Map<string, usize> = new Map<string, usize>();
/** 0: there is none. */
let newestCounter: usize = 0;

/** The address of a counter, made on first use. Never 0. */
export function counterNamed(name: string): usize {
  if (named.has(name)) return named.get(name);
  const made = newMetric(name, counter(name));
  made.name = changetype<usize>(fixedText(reportedName(name)));
  const address = changetype<usize>(made);
  if (newestCounter == 0) newestCounter = address;
  const newest = changetype<Metric>(newestCounter);
  made.next = newest.next == 0 ? address : newest.next;
  newest.next = address;
  newestCounter = address;
  return address;
}

/** The address of a gauge, made on first use. Never 0. */
export function gaugeNamed(name: string): usize {
  return named.has(name) ? named.get(name) : changetype<usize>(newMetric(name, gauge(name)));
}

function newMetric(name: string, id: u32): Metric {
  const metric = changetype<Metric>(heap.alloc(offsetof<Metric>()));
  memory.fill(changetype<usize>(metric), 0, offsetof<Metric>());
  metric.id = id;
  named.set(name, changetype<usize>(metric));
  return metric;
}

/** The counter that was named last, from which `next` leads through all; 0: there is none. */
export function lastCounter(): usize {
  return newestCounter;
}

/** Of a gauge, `amount` may be one below 0 in two's complement. */
export function addTo(metric: usize, amount: u64): void {
  const added = changetype<Metric>(metric);
  added.total += amount;
  addToMetric(added.id, amount);
}

export function setTo(metric: usize, value: u64): void {
  setGauge(changetype<Metric>(metric).id, value);
}

/**
 * One tag of a metric's name, as in `sluice_tokens_spent_total.plan=.=gold;.;`. In this form Istio's Envoys find the tags that
 * `extraStatTags` lists; envoy.yaml has them as `stats_tags`.
 */
export function metricTag(tag: string, value: string): string {
  return `${tag}=.=${value};.;`;
}
