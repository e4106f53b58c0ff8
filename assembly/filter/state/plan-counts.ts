// Counts of the plans of one policy, kept in the guest and added to Envoy's metrics on ticks and before a swap.
import { Policy } from "../../domain/policy/model";
import { addToMetric } from "../../host/metrics";
import { counterNamed, metricTag } from "../vm/metric-ids";

// For each plan.
export const PLAN_ALLOWED: u32 = 0;
export const PLAN_LIMITED: u32 = 1;
export const PLAN_TOKENS: u32 = 2;
/** Above the limit, and let through. */
export const PLAN_SHADOW_LIMITED: u32 = 3;
const PER_PLAN: u32 = 4;

export class PlanCounts {
  private counts: StaticArray<u64>;
  private names: StaticArray<string>;
  /** Envoy's id of each count's metric, and one more; 0: not asked for yet. Building a name leaves garbage. */
  private ids: StaticArray<u32>;

  constructor(policy: Policy) {
    const plans = policy.plans.length;
    this.counts = new StaticArray<u64>(plans * <i32>PER_PLAN);
    this.ids = new StaticArray<u32>(plans * <i32>PER_PLAN);
    this.names = new StaticArray<string>(plans);
    for (let i = 0; i < plans; i++) this.names[i] = policy.plans[i].name;
  }


  @inline
  count(which: u32, planIndex: u32, amount: u64): void {
    unchecked((this.counts[planIndex * PER_PLAN + which] += amount));
  }

  /** Each count exactly once. A plan's metrics appear with its first request. */
  flush(): void {
    const size = this.counts.length;
    for (let i = 0; i < size; i++) {
      const amount = unchecked(this.counts[i]);
      if (amount == 0) continue;
      if (unchecked(this.ids[i]) == 0) unchecked((this.ids[i] = counterNamed(this.metricOf(<u32>i)) + 1));
      addToMetric(unchecked(this.ids[i]) - 1, amount);
      unchecked((this.counts[i] = 0));
    }
  }

  private metricOf(index: u32): string {
    const which = index % PER_PLAN;
    const plan = metricTag("plan", this.names[index / PER_PLAN]);
    if (which == PLAN_TOKENS) return `sluice_tokens_spent_total.${plan}`;
    return `sluice_requests_total.${metricTag("outcome", outcomeOf(which))}${plan}`;
  }
}

function outcomeOf(which: u32): string {
  if (which == PLAN_ALLOWED) return "allowed";
  return which == PLAN_LIMITED ? "limited" : "shadow_limited";
}
