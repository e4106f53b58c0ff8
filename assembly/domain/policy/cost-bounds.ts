// How much a request may cost: no more than each bucket holds that pays it, or it could never pass.
import { MAX_TOKENS } from "../../contract";
import { APPLIES_ALWAYS, RouteLimit } from "./limit-model";
import { Plan } from "./model";

/** The most that a cost may be: what the smallest of the buckets that pay it holds. */
export class CostBound {
  constructor(
    public tokens: u32,
    /** The plan that has the bucket; empty: the bound is MAX_TOKENS, of no plan's. */
    private plan: string = "",
    /** Empty for the plan's own bucket. */
    private limit: string = "",
  ) {}

  expected(orElse: string): string {
    const bucket = this.limit.length == 0 ? "" : `limit "${this.limit}" of `;
    const whose = this.plan.length == 0 ? "" : `, the maxTokens of ${bucket}plan "${this.plan}"`;
    return `an integer from 0 to ${this.tokens}${whose}, or ${orElse}`;
  }
}

/** The bounds of all costs in a policy. A limit whose maxTokens is itself at violation bounds nothing. */
export class CostBounds {
  private own: CostBound = new CostBound(MAX_TOKENS);
  /** By the index of a limit's name, whether it applies always or on routes alone. */
  private ofNames: CostBound[] = [];
  /** The names of limits that always apply, those that hold least first, and their bounds. */
  private alwaysIds: u32[] = [];
  private alwaysBounds: CostBound[] = [];

  /** @param limitNames of all plans, sorted */
  constructor(
    plans: Plan[],
    private limitNames: string[],
  ) {
    const always: CostBound[] = [];
    for (let i = 0; i < limitNames.length; i++) {
      this.ofNames.push(new CostBound(MAX_TOKENS));
      always.push(new CostBound(0));
    }
    for (let i = 0; i < plans.length; i++) {
      const plan = plans[i];
      if (plan.maxTokens != 0 && plan.maxTokens < this.own.tokens) {
        this.own = new CostBound(plan.maxTokens, plan.name);
      }
      for (let j = 0; j < plan.limits.length; j++) {
        const limit = plan.limits[j];
        const id = limit.nameId;
        if (limit.maxTokens == 0) continue;
        const bound = new CostBound(limit.maxTokens, plan.name, limit.name);
        if (bound.tokens < this.ofNames[id].tokens) this.ofNames[id] = bound;
        if (limit.applies != APPLIES_ALWAYS) continue;
        if (always[id].tokens == 0 || bound.tokens < always[id].tokens) always[id] = bound;
      }
    }
    this.sortAlways(always);
  }

  /** The index of a limit's name, or -1 where no plan has it. Binary search: there are up to 7,000. */
  nameIdOf(name: string): i32 {
    let low = 0;
    let high = this.limitNames.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.limitNames[middle];
      if (found == name) return middle;
      if (found < name) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Whether a plan has a limit of this name from which every request spends. */
  appliesAlways(nameId: u32): bool {
    return this.alwaysIds.includes(nameId);
  }

  /** The bound of the figure that a route has for a limit. */
  ofLimit(nameId: u32): CostBound {
    return this.ofNames[nameId];
  }

  /** The bound of a route's `cost`. Limits for which the route has another figure do not pay that. */
  ofRoute(limits: RouteLimit[]): CostBound {
    let least = this.own;
    for (let i = 0; i < limits.length; i++) {
      const bound = this.ofNames[limits[i].nameId];
      if (limits[i].takesRouteCost && bound.tokens < least.tokens) least = bound;
    }
    for (let i = 0; i < this.alwaysIds.length; i++) {
      const bound = this.alwaysBounds[i];
      if (bound.tokens >= least.tokens) break;
      if (!hasOwnFigure(limits, this.alwaysIds[i])) return bound;
    }
    return least;
  }

  /** @param always by the index of a name; 0 tokens where none always applies */
  private sortAlways(always: CostBound[]): void {
    const keys: u64[] = [];
    for (let i = 0; i < always.length; i++) {
      if (always[i].tokens != 0) keys.push(((<u64>always[i].tokens) << 32) | (<u64>i));
    }
    keys.sort();
    for (let i = 0; i < keys.length; i++) {
      const id = <u32>keys[i];
      this.alwaysIds.push(id);
      this.alwaysBounds.push(always[id]);
    }
  }
}

function hasOwnFigure(limits: RouteLimit[], nameId: u32): bool {
  for (let i = 0; i < limits.length; i++) {
    if (limits[i].nameId == nameId) return !limits[i].takesRouteCost;
  }
  return false;
}
