// How much all edges together may have been let through of one session: a bucket each limit that every request spends from at once.
import { amountIn } from "../../src/domain/leases/amounts.js";
import { bucketsOfPlan } from "../../src/domain/leases/exact-level.js";
import type { Amounts } from "../../src/domain/leases/fleet-budget.js";
import { capacityMicro } from "../../src/domain/level.js";
import type { BucketLimits } from "../../src/domain/level.js";
import type { PlanOfPolicy } from "../../src/domain/plan.js";
import { exactRate } from "../../src/domain/policy/rate.js";

/** Microtokens: what doubles round, and one for each change of a rate. */
export const ROUNDED = 20;

interface Bucket {
  micro: number;
  /** What it would be if the plan had stayed as it was when something was decided last. */
  steady: number;
  atMs: number;
  limits: BucketLimits;
  /** By which something was decided last; undefined: nothing was, and it is as full as it is large. */
  decided: BucketLimits | undefined;
  /** How often it got others since. */
  changes: number;
  /** The store lacks all that was decided. Of its plan since then the control plane knows no more than the present one. */
  lostUntilMs?: number;
}

/**
 * As long as no bucket falls below 0, no window of the fleet clock admits more than the plan's bucket holds and gains in it.
 * Debts take it below 0 all the same: they are of requests that were admitted.
 */
export class FleetBound {
  private readonly buckets = new Map<string, Bucket>();

  /** To be called before the plan is another one, too: time until then counts by the present one. */
  fill(plan: PlanOfPolicy, nowMs: number): void {
    for (const [name, limits] of bucketsOfPlan(plan)) {
      const full = capacityMicro(limits);
      const before = this.buckets.get(name);
      if (before?.decided === undefined) {
        const asLarge = { micro: full, steady: full, atMs: nowMs, limits, decided: undefined, changes: 0 };
        this.buckets.set(name, asLarge);
        continue;
      }
      before.micro = filled(before.micro, limits, nowMs - before.atMs);
      before.steady = filled(before.steady, before.decided, nowMs - before.atMs);
      before.atMs = nowMs;
      if (!isSame(before.limits, limits)) this.change(before, limits, nowMs);
      // Of a plan that came and went between two decisions the control plane knows nothing.
      if (before.changes > 1) before.micro = Math.max(before.micro, before.steady);
    }
  }

  private change(bucket: Bucket, limits: BucketLimits, nowMs: number): void {
    bucket.changes += 1;
    bucket.limits = limits;
    const { lostUntilMs } = bucket;
    if (lostUntilMs === undefined || nowMs < lostUntilMs) return;
    bucket.micro = Math.max(bucket.micro, filled(0, limits, nowMs - lostUntilMs));
  }

  /**
   * The store is in another life.
   * @param kept buckets of which it has what was decided
   * @param untilMs until then it gives nothing
   */
  lose(kept: ReadonlySet<string>, untilMs: number): void {
    for (const [name, bucket] of this.buckets) if (!kept.has(name)) bucket.lostUntilMs = untilMs;
  }

  /** Something was decided by this plan just now. */
  decide(plan: PlanOfPolicy): void {
    for (const [name, limits] of bucketsOfPlan(plan)) {
      const bucket = this.buckets.get(name);
      if (bucket === undefined) continue;
      Object.assign(bucket, { steady: bucket.micro, decided: limits, changes: 0 });
      delete bucket.lostUntilMs;
    }
  }

  take(amounts: Amounts): void {
    for (const [name, amount] of Object.entries(amounts)) {
      const bucket = this.buckets.get(name);
      if (bucket === undefined) continue;
      bucket.micro -= amount;
      bucket.steady -= amount;
    }
  }

  giveBack(amounts: Amounts, plan: PlanOfPolicy): void {
    for (const [name, limits] of bucketsOfPlan(plan)) {
      const bucket = this.buckets.get(name);
      if (bucket === undefined) continue;
      const most = capacityMicro(limits);
      const more = (micro: number): number => Math.max(micro, Math.min(most, micro + amountIn(amounts, name)));
      bucket.micro = more(bucket.micro);
      bucket.steady = more(bucket.steady);
    }
  }

  /** Microtokens that may still be let through. */
  leftIn(name: string): number {
    return this.buckets.get(name)?.micro ?? 0;
  }
}

/** What is above a capacity that has shrunk was out before: it only falls. */
function filled(micro: number, limits: BucketLimits, elapsedMs: number): number {
  const capacity = capacityMicro(limits);
  if (micro >= capacity) return micro;
  const { micro: rate, seconds } = exactRate(limits);
  return Math.min(capacity, micro + (elapsedMs * rate) / seconds / 1000);
}

const isSame = (one: BucketLimits, other: BucketLimits): boolean =>
  one.maxTokens === other.maxTokens && one.tokenRefillRate === other.tokenRefillRate && one.refill === other.refill;
