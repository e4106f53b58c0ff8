// Counts of leases, kept in the guest as the others are (counters.ts). They appear with the first policy that has a plan of
// scope fleet.
import { addCount, flushCounts, nameCount } from "./count-set";
import { metricTag } from "./metrics";

// Asks, by what came of them.
export const ASK_GRANTED: u32 = 0;
export const ASK_REFUSED: u32 = 1;
/** It gave back what was left, and wanted nothing. */
export const ASK_RETURNED: u32 = 2;
/** It was of a former number. */
export const ASK_STALE: u32 = 3;
/** The session is not live, or under another plan. */
export const ASK_OVER: u32 = 4;
/** The answer came too late, or the record is gone: nothing of it counts. */
export const ASK_DROPPED: u32 = 5;
/** No answer came. */
export const ASK_LOST: u32 = 6;
/** Whole tokens of all buckets. */
export const TOKENS_GRANTED: u32 = 7;
export const TOKENS_RETURNED: u32 = 8;
/** Requests that were denied here, by what the control plane had refused a moment before. */
export const REFUSED_HERE: u32 = 9;
/** Requests that waited for a lease. */
export const LEASE_WAITS: u32 = 10;
const SIZE: u32 = 11;

const counts: usize = memory.data(SIZE * 8, 8);
const metrics: usize = memory.data(SIZE * 4, 4);
let named: bool = false;

/** Names them all at once, so that an operator sees them at 0. When a policy comes into force. */
export function nameLeaseCounters(): void {
  if (named) return;
  named = true;
  const outcomes = ["granted", "refused", "returned", "stale", "over", "dropped", "lost"];
  for (let i = 0; i < outcomes.length; i++) {
    name(ASK_GRANTED + i, `sluice_lease_asks_total.${metricTag("outcome", outcomes[i])}`);
  }
  name(TOKENS_GRANTED, "sluice_lease_tokens_granted_total");
  name(TOKENS_RETURNED, "sluice_lease_tokens_returned_total");
  name(REFUSED_HERE, "sluice_lease_refusals_total");
  name(LEASE_WAITS, "sluice_lease_waits_total");
}

function name(which: u32, metric: string): void {
  nameCount(metrics, which, metric);
}

export function countLease(which: u32, amount: u64): void {
  addCount(counts, which, amount);
}

/** Each count exactly once. */
export function flushLeaseCounters(): void {
  if (named) flushCounts(counts, metrics, SIZE);
}
