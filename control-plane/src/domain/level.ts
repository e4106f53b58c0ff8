// A bucket's level between two reports, in whole microtokens: what an edge reported, refilled since.
import { MICROTOKENS_PER_TOKEN } from "../../../assembly/contract.js";
import type { PlanOfPolicy } from "./plan.js";

const MS_PER_SECOND = 1000n;

/** What of a plan a bucket's level depends on. */
export type BucketLimits = Pick<PlanOfPolicy, "maxTokens" | "tokenRefillRate">;

export const capacityMicro = ({ maxTokens }: BucketLimits): number => maxTokens * MICROTOKENS_PER_TOKEN;

/**
 * The level at `nowMs` of a bucket that had `levelMicro` at `atMs`: level + rate × elapsed, at most the capacity,
 * rounded down (docs/session-table.md, "Exact refill": exact, because a rate has whole microtokens per second).
 * A millisecond less than the clock shows is credited: both times are rounded down, and more must never be given back
 * than the edge itself would have refilled. A clock that went back credits nothing. No more is owed than a bucket holds:
 * no edge lets a bucket owe more, whatever a report says.
 */
export function refilledMicro(levelMicro: number, atMs: number, nowMs: number, limits: BucketLimits): number {
  const capacity = capacityMicro(limits);
  if (levelMicro >= capacity) return capacity;
  const owed = Math.max(levelMicro, -capacity);
  const rateMicro = BigInt(Math.round(limits.tokenRefillRate * MICROTOKENS_PER_TOKEN));
  const elapsedMs = BigInt(Math.max(0, nowMs - atMs - 1));
  const level = BigInt(owed) + (rateMicro * elapsedMs) / MS_PER_SECOND;
  return level >= BigInt(capacity) ? capacity : Number(level);
}
