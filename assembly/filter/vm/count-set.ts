// Counts that a module keeps in static memory, u64 each, and the ids of their metrics, u32 each: what they have in common.
// The garbage collector visits each object that is kept; of these there is none.
import { addToMetric } from "../../host/metrics";
import { counterNamed } from "./metric-ids";

export function nameCount(ids: usize, which: u32, metric: string): void {
  store<u32>(ids + (which << 2), counterNamed(metric));
}

export function addCount(counts: usize, which: u32, amount: u64): void {
  const at = counts + (which << 3);
  store<u64>(at, load<u64>(at) + amount);
}

/** Adds each of `size` counts to its metric exactly once. They are all named. */
export function flushCounts(counts: usize, ids: usize, size: u32): void {
  for (let i: u32 = 0; i < size; i++) {
    const at = counts + (i << 3);
    const amount = load<u64>(at);
    if (amount == 0) continue;
    addToMetric(load<u32>(ids + (i << 2)), amount);
    store<u64>(at, 0);
  }
}
