// Sums over amounts by bucket. Edges choose the names, so only own properties count.
import type { Amounts, Lease } from "./fleet-budget.js";

export const NOTHING: Amounts = {};

export const amountIn = (amounts: Amounts, bucket: string): number =>
  Object.hasOwn(amounts, bucket) ? (amounts[bucket] ?? 0) : 0;

/** The amounts that `of` gives for these buckets; those of 0 are left out. */
export function amountsOf(buckets: Iterable<string>, of: (bucket: string) => number): Amounts {
  const entries = [...new Set(buckets)].map((bucket): [string, number] => [bucket, of(bucket)]);
  return Object.fromEntries(entries.filter(([, amount]) => amount !== 0));
}

export const plus = (one: Amounts, other: Amounts): Amounts =>
  amountsOf([...Object.keys(one), ...Object.keys(other)], (bucket) => amountIn(one, bucket) + amountIn(other, bucket));

export const isNothing = (amounts: Amounts): boolean => Object.values(amounts).every((amount) => amount === 0);

/** Past its end a lease is only kept for its number. */
export const lives = (lease: Lease, nowMs: number): boolean => nowMs < lease.untilMs;

export const outstandingIn = (leases: readonly Lease[], bucket: string): number =>
  leases.reduce((sum, { outstanding }) => sum + amountIn(outstanding, bucket), 0);
