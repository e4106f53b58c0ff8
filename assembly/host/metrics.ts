// Envoy's metrics, and the ticks on which they are written.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { OK } from "./status";

const COUNTER: i32 = 0;
const GAUGE: i32 = 1;

/** In place of an id, where the host does not make the metric: every number from 0 on may be one. */
const NO_METRIC: u32 = 0xffffffff;

const out: usize = memory.data(4, 4);

/** The id of a counter, made on first use. Managed memory. */
export function counter(name: string): u32 {
  return define(COUNTER, name);
}

/** The id of a gauge. */
export function gauge(name: string): u32 {
  return define(GAUGE, name);
}

function define(type: i32, name: string): u32 {
  const bytes = String.UTF8.encode(name);
  const status = abi.proxy_define_metric(type, changetype<usize>(bytes), bytes.byteLength, out);
  return status == OK ? load<u32>(out) : NO_METRIC;
}

export function addToMetric(id: u32, amount: i64): void {
  if (id != NO_METRIC) abi.proxy_increment_metric(id, amount);
}

export function setGauge(id: u32, value: u64): void {
  if (id != NO_METRIC) abi.proxy_record_metric(id, value);
}

/** Asks for `proxy_on_tick` on the root context in whose callback this is called. */
export function tickEvery(periodMs: u32): void {
  abi.proxy_set_tick_period_milliseconds(periodMs);
}
