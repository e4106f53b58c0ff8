// Counts of what requests reserved and what they really cost, kept in the guest as the others are (counters.ts). Only the
// build that settles has them.
import { addCount, flushCounts, nameCount } from "./count-set";
import { metricTag } from "./metrics";

// Tokens.
export const RESERVED: u32 = 0;
/** What requests that reserved have cost in the end. */
export const SETTLED: u32 = 1;
/** Of what was reserved: given back. */
export const REFUNDED: u32 = 2;
/** Charged beyond what was reserved. */
export const OVERDRAWN: u32 = 3;

// Settlements, by what came of them.
/** The response said what the request cost. */
export const SETTLEMENT_DONE: u32 = 4;
/** It did not: `onMissing` decided. */
export const SETTLEMENT_NO_VALUE: u32 = 5;
/** It said something else. */
export const SETTLEMENT_INVALID: u32 = 6;
/** As much of it as is read has no value. */
export const SETTLEMENT_TOO_LONG: u32 = 7;
/** It cannot be read. */
export const SETTLEMENT_COMPRESSED: u32 = 8;
/** All notes were taken when the request was let through: what it reserved is its cost. */
export const SETTLEMENT_NO_NOTE: u32 = 9;
/** The session has no record any more. */
export const SETTLEMENT_NO_RECORD: u32 = 10;
export const SETTLEMENT_ENDED: u32 = 11;
/** It has another plan now, or the plan has other limits. */
export const SETTLEMENT_OTHER_LIMITS: u32 = 12;
/** Under a plan of scope fleet, this worker keeps no more sessions whose refunds it has to say: the reservation is the cost. */
export const SETTLEMENT_NO_LEASE_NOTE: u32 = 13;
const SIZE: u32 = 14;

// In static memory, and the names within a function: the garbage collector visits each object that is kept, after every answer
// of the control plane, also in the builds that settle nothing.
const counts: usize = memory.data(SIZE * 8, 8);
const metrics: usize = memory.data(SIZE * 4, 4);
let named: bool = false;

/** Names them all at once, so that an operator sees them at 0. At configure only. */
export function nameSettleCounters(): void {
  if (named) return;
  named = true;
  const tokens = ["reserved", "settled", "refunded", "overdrawn"];
  const outcomes = ["settled", "no_value", "invalid", "too_long", "compressed"];
  const missed = ["no_note", "no_record", "ended", "other_limits", "no_lease_note"];
  for (let i = 0; i < tokens.length; i++) name(RESERVED + i, `sluice_tokens_${tokens[i]}_total`);
  for (let i = 0; i < outcomes.length; i++) name(SETTLEMENT_DONE + i, settlementsOf(outcomes[i]));
  for (let i = 0; i < missed.length; i++) name(SETTLEMENT_NO_NOTE + i, settlementsOf(missed[i]));
}

function settlementsOf(outcome: string): string {
  return `sluice_settlements_total.${metricTag("outcome", outcome)}`;
}

function name(which: u32, metric: string): void {
  nameCount(metrics, which, metric);
}

export function countSettled(which: u32, amount: u64): void {
  addCount(counts, which, amount);
}

/** Each count exactly once. */
export function flushSettleCounters(): void {
  if (named) flushCounts(counts, metrics, SIZE);
}
