// Edges and control planes over one budget, and how much may have been admitted at most.
import { decideLease } from "../../../src/domain/leases/decide-lease.js";
import { bucketsOfPlan } from "../../../src/domain/leases/exact-level.js";
import type { FleetBudget } from "../../../src/domain/leases/fleet-budget.js";
import type { FleetPlan, LeaseDecision } from "../../../src/domain/leases/lease-ask.js";
import { capacityMicro } from "../../../src/domain/level.js";
import { lifeOfDoubt, momentOf } from "../../../src/domain/leases/store-life.js";
import { exactRate } from "../../../src/domain/policy/rate.js";
import type { SentAsk } from "./lease-edge.js";

export const MICRO = 1_000_000;
/** A microtoken for each change of a rate, and what doubles round. */
const TOLERANCE = 20;

/** Even numbers from 0 to below 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed * 0x9e3779b1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const planOf = (maxTokens: number, rate: number, limits: Record<string, [number, number]> = {}): FleetPlan => ({
  ...{ id: 0, maxTokens, tokenRefillRate: rate, refill: null },
  limits: Object.entries(limits).map(([name, [max, perSecond]]) => {
    return { name, maxTokens: max, tokenRefillRate: perSecond, refill: null, applies: "always" };
  }),
});

/**
 * A bucket that all admitted requests spend from at once. It never falls below 0 exactly if no window admits more than the
 * capacity and its length times the rate.
 */
export class Bound {
  private atMs: number;
  private micro: number;

  constructor(capacity: number, nowMs: number) {
    this.micro = capacity;
    this.atMs = nowMs;
  }

  /** Larger than a capacity that has shrunk it only falls: so much was out before. */
  fill(nowMs: number, capacity: number, perMs: number): void {
    if (this.micro < capacity) this.micro = Math.min(capacity, this.micro + (nowMs - this.atMs) * perMs);
    this.atMs = nowMs;
  }

  take(amount: number): number {
    this.micro -= amount;
    return this.micro;
  }

  giveBack(amount: number, capacity: number): void {
    this.micro = Math.max(this.micro, Math.min(capacity, this.micro + amount));
  }
}

export class LeaseWorld {
  nowMs = 10_000;
  /** ms in which no control plane ran. */
  stoodMs = 0;
  budget: FleetBudget | undefined;
  admitted = 0;
  private readonly former: (FleetBudget | undefined)[] = [undefined];
  private life = 1;
  private lifeBeganMs: number | undefined;
  private readonly bounds = new Map<string, Bound>();
  private readonly settled = new Set<number>();

  constructor(private thePlan: FleetPlan) {
    this.plan = thePlan;
  }

  get plan(): FleetPlan {
    return this.thePlan;
  }

  set plan(plan: FleetPlan) {
    this.fill();
    this.thePlan = plan;
    for (const [name, limits] of bucketsOfPlan(plan)) {
      const capacity = capacityMicro(limits);
      if (this.isNew(name)) this.bounds.get(name)?.giveBack(capacity, capacity);
      if (!this.bounds.has(name)) this.bounds.set(name, new Bound(capacity, this.nowMs));
    }
  }

  /** Nothing was ever granted of it. */
  private isNew(name: string): boolean {
    return this.lifeBeganMs === undefined && !Object.hasOwn(this.budget?.levels ?? {}, name);
  }

  get fleetMs(): number {
    return this.nowMs - this.stoodMs;
  }

  admit(cost: Readonly<Record<string, number>>): void {
    this.fill();
    for (const [name, amount] of Object.entries(cost)) {
      const left = this.bounds.get(name)?.take(amount) ?? 0;
      if (left < -TOLERANCE) throw new Error(`${String(-left)} microtokens too many were admitted in "${name}"`);
    }
    this.admitted += cost[""] ?? 0;
  }

  /** @param lateMs by how much the clock of the control plane that decides is behind the other's */
  decide({ ask, id }: SentAsk, lateMs: number): LeaseDecision {
    const { plan } = this;
    const log = String(this.life);
    const clock = { log, ms: this.fleetMs - lateMs, by: String(lateMs), leads: new Map() };
    const moment = { log, wallMs: this.nowMs, plan, rows: [], ...momentOf(log, lifeOfDoubt(0), clock) };
    const life = this.lifeBeganMs === undefined ? {} : { lifeBeganMs: this.lifeBeganMs };
    const decision = decideLease(this.budget, ask, { ...moment, ...life });
    const isNews = decision.outcome !== "stale" && decision.outcome !== "repeated";
    if (isNews && !this.settled.has(id)) this.settle(id, ask.settled);
    if (decision.budget === this.budget) return decision;
    this.budget = decision.budget;
    this.former.push(decision.budget);
    this.check(decision.budget);
    return decision;
  }

  /** Another life of the store, without its last commits. */
  failOver(lost: number): void {
    const kept = Math.max(1, this.former.length - lost);
    this.former.splice(kept);
    this.budget = this.former[kept - 1];
    this.life += 1;
    this.lifeBeganMs = this.fleetMs;
  }

  private settle(id: number, settled: Readonly<Record<string, number>>): void {
    this.settled.add(id);
    this.fill();
    for (const [name, limits] of bucketsOfPlan(this.plan)) {
      this.bounds.get(name)?.giveBack(settled[name] ?? 0, capacityMicro(limits));
    }
  }

  private fill(): void {
    for (const [name, limits] of bucketsOfPlan(this.plan)) {
      const { micro, seconds } = exactRate(limits);
      this.bounds.get(name)?.fill(this.nowMs, capacityMicro(limits), micro / seconds / 1000);
    }
  }

  private check({ levels, leases }: FleetBudget): void {
    for (const [name, limits] of bucketsOfPlan(this.plan)) {
      const { micro, remainder } = levels[name] ?? { micro: NaN, remainder: NaN };
      const outstanding = leases.reduce((sum, lease) => sum + (lease.outstanding[name] ?? 0), 0);
      const capacity = capacityMicro(limits);
      const isWhole = Number.isSafeInteger(micro) && Number.isSafeInteger(remainder);
      const isWithin = micro <= 0 || micro + outstanding <= capacity;
      const isPositive = leases.every((lease) => Object.values(lease.outstanding).every((amount) => amount >= 0));
      if (isWhole && isWithin && isPositive && micro >= -capacity) continue;
      throw new Error(`"${name}": ${String(micro)} and ${String(outstanding)} outstanding of ${String(capacity)}`);
    }
  }
}
