// Counts that a module keeps in static memory, u64 each, and the addresses of their metrics, u32 each: what they have in common.
// The garbage collector visits each object that is kept; of these there is none.
import { addTo, counterNamed } from "./metrics";

export function nameCount(metrics: usize, which: u32, metric: string): void {
  store<usize>(metrics + (which << 2), counterNamed(metric));
}

export function addCount(counts: usize, which: u32, amount: u64): void {
  const at = counts + (which << 3);
  store<u64>(at, load<u64>(at) + amount);
}

/** Adds each of `size` counts to its metric exactly once. They are all named. */
export function flushCounts(counts: usize, metrics: usize, size: u32): void {
  for (let i: u32 = 0; i < size; i++) {
    const at = counts + (i << 3);
    const amount = load<u64>(at);
    if (amount == 0) continue;
    addTo(load<usize>(metrics + (i << 2)), amount);
    store<u64>(at, 0);
  }
}
