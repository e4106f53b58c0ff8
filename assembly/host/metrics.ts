// Envoy's metrics, and the ticks on which they are written.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { OK } from "./status";

const COUNTER: i32 = 0;
const GAUGE: i32 = 1;

const out: usize = memory.data(4, 4);

/** The id of a counter, made on first use; 0 if the host does not make it. Managed memory. */
export function counter(name: string): u32 {
  return define(COUNTER, name);
}

/** The id of a gauge. */
export function gauge(name: string): u32 {
  return define(GAUGE, name);
}

function define(type: i32, name: string): u32 {
  const bytes = String.UTF8.encode(name);
  return abi.proxy_define_metric(type, changetype<usize>(bytes), bytes.byteLength, out) == OK ? load<u32>(out) : 0;
}

export function addToMetric(id: u32, amount: i64): void {
  abi.proxy_increment_metric(id, amount);
}

export function setGauge(id: u32, value: u64): void {
  abi.proxy_record_metric(id, value);
}

/** Asks for `proxy_on_tick` on the root context in whose callback this is called. */
export function tickEvery(periodMs: u32): void {
  abi.proxy_set_tick_period_milliseconds(periodMs);
}
