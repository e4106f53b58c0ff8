// A bucket's level between two reports, in whole microtokens: what an edge reported, refilled since.
import { MICROTOKENS_PER_TOKEN } from "../../../assembly/contract.js";
import type { PlanOfPolicy } from "./plan.js";
import { exactRate } from "./policy/rate.js";

const MS_PER_SECOND = 1000;

/** What of a plan a bucket's level depends on. */
export type BucketLimits = Pick<PlanOfPolicy, "maxTokens" | "tokenRefillRate" | "refill">;

export const capacityMicro = ({ maxTokens }: Pick<BucketLimits, "maxTokens">): number =>
  maxTokens * MICROTOKENS_PER_TOKEN;

/**
 * The level of a bucket that had `levelMicro` so long ago: level + rate × elapsed, at most the capacity,
 * rounded down (docs/session-table.md, "Exact refill": exact, because a rate is whole microtokens in whole seconds).
 * A millisecond less than has passed is credited: times are rounded down, and more must never be given back
 * than the edge itself would have refilled. A time that lies ahead credits nothing. No more is owed than a bucket holds:
 * no edge lets a bucket owe more, whatever a report says.
 */
export function refilledMicro(levelMicro: number, passedMs: number, limits: BucketLimits): number {
  const capacity = capacityMicro(limits);
  if (levelMicro >= capacity) return capacity;
  const owed = Math.max(levelMicro, -capacity);
  const { micro, seconds } = exactRate(limits);
  const elapsedMs = BigInt(Math.max(0, Math.floor(passedMs) - 1));
  const level = BigInt(owed) + (BigInt(micro) * elapsedMs) / BigInt(seconds * MS_PER_SECOND);
  return level >= BigInt(capacity) ? capacity : Number(level);
}
