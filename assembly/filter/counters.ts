// Counts kept in the guest, so that a request pays no host call for them, and added to Envoy's metrics on ticks.
import { Policy } from "../domain/policy/model";
import { addToMetric, counter, gauge } from "../host/metrics";

// Without a plan.
export const MISSING: u32 = 0;
export const INVALID: u32 = 1;
export const UNAVAILABLE: u32 = 2;
export const ALLOWED_UNMETERED: u32 = 3;
export const MISS_LIVE: u32 = 4;
export const MISS_REVOKED: u32 = 5;
export const MISS_EXPIRED: u32 = 6;
export const MISS_UNKNOWN: u32 = 7;
export const MISS_TRUSTED: u32 = 8;
export const MISS_DENIED: u32 = 9;
export const MISS_FORGED: u32 = 10;
export const MISS_TOO_OLD: u32 = 11;
export const CAS_RETRIES: u32 = 12;
export const CAS_EXHAUSTED: u32 = 13;
export const TABLE_FULL: u32 = 14;
export const EVICTIONS: u32 = 15;
export const RESTORES: u32 = 16;
export const HEADERS_OMITTED: u32 = 17;
/** A gauge: places of the table that hold a record. Moved by what this VM adds, set by the leader's sweep. */
export const TABLE_RECORDS: u32 = 18;
export const REPORT_FAILURES: u32 = 19;
const FIXED: u32 = 20;

// For each plan.
export const PLAN_ALLOWED: u32 = 0;
export const PLAN_LIMITED: u32 = 1;
export const PLAN_TOKENS: u32 = 2;
const PER_PLAN: u32 = 3;

/** The names of the first FIXED counters, in their order. Labels: `stats_tags` in envoy.yaml. */
const names: StaticArray<string> = [
  "sluice_requests.outcome.missing",
  "sluice_requests.outcome.invalid",
  "sluice_requests.outcome.unavailable",
  "sluice_requests.outcome.allowed",
  "sluice_misses.outcome.live",
  "sluice_misses.outcome.revoked",
  "sluice_misses.outcome.expired",
  "sluice_misses.outcome.unknown",
  "sluice_misses.outcome.trusted",
  "sluice_misses.outcome.denied",
  "sluice_misses.outcome.forged",
  "sluice_misses.outcome.too_old",
  "sluice_cas_retries",
  "sluice_cas_exhausted",
  "sluice_table_full",
  "sluice_table_evictions",
  "sluice_restores",
  "sluice_headers_omitted",
  "sluice_table_records",
  "sluice_report_failures",
];

/** The counters of one policy. Two policies may name the same metric: Envoy adds them up. */
export class Counters {
  private counts: StaticArray<u64>;
  private metrics: StaticArray<u32>;
  private planNames: StaticArray<string>;

  constructor(policy: Policy) {
    const plans = policy.plans.length;
    const size = <i32>FIXED + plans * <i32>PER_PLAN;
    this.counts = new StaticArray<u64>(size);
    this.metrics = new StaticArray<u32>(size);
    this.planNames = new StaticArray<string>(plans);
    for (let i = 0; i < plans; i++) this.planNames[i] = policy.plans[i].name;
    // Named at once, so that an operator sees them at 0; a plan's metrics appear with its first request.
    for (let i: u32 = 0; i < FIXED; i++) this.metrics[i] = i == TABLE_RECORDS ? gauge(names[i]) : counter(names[i]);
  }


  @inline
  count(which: u32): void {
    unchecked(this.counts[which]++);
  }


  @inline
  countPlan(which: u32, planIndex: u32, amount: u64): void {
    unchecked((this.counts[FIXED + planIndex * PER_PLAN + which] += amount));
  }

  /** The gauge of TABLE_RECORDS. */
  recordsGauge(): u32 {
    return this.metrics[TABLE_RECORDS];
  }

  /** Adds what was counted since the last flush to Envoy's metrics: each count exactly once. */
  flush(): void {
    const size = this.counts.length;
    for (let i = 0; i < size; i++) {
      const amount = unchecked(this.counts[i]);
      if (amount == 0) continue;
      if (unchecked(this.metrics[i]) == 0) unchecked((this.metrics[i] = counter(this.planMetric(i))));
      addToMetric(unchecked(this.metrics[i]), amount);
      unchecked((this.counts[i] = 0));
    }
  }

  private planMetric(index: i32): string {
    const which = <u32>(index - <i32>FIXED) % PER_PLAN;
    const plan = this.planNames[<i32>(<u32>(index - <i32>FIXED) / PER_PLAN)];
    if (which == PLAN_TOKENS) return `sluice_tokens_spent.plan.${plan}`;
    return `sluice_requests.outcome.${which == PLAN_ALLOWED ? "allowed" : "limited"}.plan.${plan}`;
  }
}
