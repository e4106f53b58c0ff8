// What holds of each stored budget, whoever wrote it: what is there and what is out are together at most what the bucket holds.
import type { FleetBudget } from "../../../../control-plane/src/domain/leases/fleet-budget.js";
import { fail } from "../../invariants/violation.js";
import { BUCKETS, type Bucket, type BucketName } from "../parts/lease-policies.js";

const MICRO = 1_000_000;

export class BudgetRules {
  constructor(private readonly buckets: ReadonlyMap<BucketName, Bucket>) {}

  /** Throws a Violation. */
  expectBounds(session: string, { atMs, levels, leases }: FleetBudget): void {
    for (const name of BUCKETS) {
      const bucket = this.buckets.get(name);
      const level = levels[name]?.micro;
      if (bucket === undefined || level === undefined) continue;
      const living = leases.filter(({ untilMs }) => atMs < untilMs);
      const outstanding = living.reduce((sum, lease) => sum + (lease.outstanding[name] ?? 0), 0);
      const most = bucket.maxTokens * MICRO;
      const what = `${session}: ${level} and ${outstanding} out in "${name}", which holds ${most}`;
      if (level + outstanding > most || level < -most || living.some((lease) => (lease.outstanding[name] ?? 0) < 0))
        fail("lease", what);
    }
  }
}
