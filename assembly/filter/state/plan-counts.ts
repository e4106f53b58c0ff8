// Counts of the plans of one policy, kept in the guest and added to Envoy's metrics on ticks and before a swap.
import { LimitTable } from "../../domain/limits/limit-table";
import { Policy } from "../../domain/policy/model";
import { addTo, counterNamed, metricTag } from "../vm/metrics";

// For each plan.
export const PLAN_ALLOWED: u32 = 0;
export const PLAN_LIMITED: u32 = 1;
export const PLAN_TOKENS: u32 = 2;
/** Above the limit, and let through. */
export const PLAN_SHADOW_LIMITED: u32 = 3;
const PER_PLAN: u32 = 4;
/** PLAN_LIMITED and PLAN_SHADOW_LIMITED. */
const PER_LIMIT: u32 = 2;

export class PlanCounts {
  private counts: StaticArray<u64>;
  private names: StaticArray<string>;
  /** Of each count's metric, its address; 0: not named yet. Building a name leaves garbage. */
  private metrics: StaticArray<usize>;

  /** Of all limits of the policy's plans (LimitTable.numberOf), two each: those of further ones count. */
  private limitCounts: StaticArray<u64>;
  private limitMetrics: StaticArray<usize>;

  constructor(
    policy: Policy,
    private limits: LimitTable | null,
  ) {
    const plans = policy.plans.length;
    const further = limits === null ? 0 : <i32>(limits.count * PER_LIMIT);
    this.limitCounts = new StaticArray<u64>(further);
    this.limitMetrics = new StaticArray<usize>(further);
    this.counts = new StaticArray<u64>(plans * <i32>PER_PLAN);
    this.metrics = new StaticArray<usize>(plans * <i32>PER_PLAN);
    this.names = new StaticArray<string>(plans);
    for (let i = 0; i < plans; i++) this.names[i] = policy.plans[i].name;
  }


  @inline
  count(which: u32, planIndex: u32, amount: u64): void {
    unchecked((this.counts[planIndex * PER_PLAN + which] += amount));
  }

  /**
   * Counts a request that a further limit denied.
   * @param which PLAN_LIMITED or PLAN_SHADOW_LIMITED
   */
  countLimit(which: u32, limit: u32): void {
    unchecked(this.limitCounts[limit * PER_LIMIT + (which == PLAN_LIMITED ? 0 : 1)]++);
  }

  /** Each count exactly once. A plan's metrics appear with its first request. */
  flush(): void {
    const size = this.counts.length;
    for (let i = 0; i < size; i++) {
      const amount = unchecked(this.counts[i]);
      if (amount == 0) continue;
      if (unchecked(this.metrics[i]) == 0) unchecked((this.metrics[i] = counterNamed(this.metricOf(<u32>i))));
      addTo(unchecked(this.metrics[i]), amount);
      unchecked((this.counts[i] = 0));
    }
    if (this.limits !== null) this.flushLimits();
  }

  private flushLimits(): void {
    const size = this.limitCounts.length;
    for (let i = 0; i < size; i++) {
      const amount = unchecked(this.limitCounts[i]);
      if (amount == 0) continue;
      if (unchecked(this.limitMetrics[i]) == 0) {
        unchecked((this.limitMetrics[i] = counterNamed(this.metricOfLimit(<u32>i))));
      }
      addTo(unchecked(this.limitMetrics[i]), amount);
      unchecked((this.limitCounts[i] = 0));
    }
  }

  private metricOfLimit(index: u32): string {
    const limits = this.limits;
    if (limits === null) return "";
    const entry = limits.entryNumbered(index / PER_LIMIT);
    const which = index % PER_LIMIT == 0 ? PLAN_LIMITED : PLAN_SHADOW_LIMITED;
    return requestsMetric(which, this.names[limits.planOf(entry)], limits.nameOf(entry));
  }

  private metricOf(index: u32): string {
    const which = index % PER_PLAN;
    const plan = this.names[index / PER_PLAN];
    if (which == PLAN_TOKENS) return `sluice_tokens_spent_total.${metricTag("plan", plan)}`;
    // The plan's own bucket has the plan's name.
    return requestsMetric(which, plan, which == PLAN_ALLOWED ? "" : plan);
  }
}

/** @param limit the one that denied; empty: none did */
function requestsMetric(which: u32, plan: string, limit: string): string {
  const tags = metricTag("outcome", outcomeOf(which)) + metricTag("plan", plan);
  return `sluice_requests_total.${tags}${limit.length == 0 ? "" : metricTag("limit", limit)}`;
}

function outcomeOf(which: u32): string {
  if (which == PLAN_ALLOWED) return "allowed";
  return which == PLAN_LIMITED ? "limited" : "shadow_limited";
}
