// Random schedules of edges and control planes over one budget: what is lost, late, doubled and out of order, what dies.
import { describe, expect, it } from "vitest";

import { CLOCKS_DIFFER_MS } from "../../../src/domain/leases/clock-lead.js";
import type { FleetPlan } from "../../../src/domain/leases/lease-ask.js";
import { ModelEdge } from "./lease-edge.js";
import type { SentAsk } from "./lease-edge.js";
import { LeaseWorld, MICRO, planOf, seeded } from "./lease-world.js";

/** How likely each is, a step or a message. */
interface Faults {
  readonly lost: number;
  readonly doubled: number;
  readonly late: number;
  readonly dies: number;
  readonly replaced: number;
  readonly evicted: number;
  readonly failover: number;
  readonly stands: number;
  readonly replanned: number;
  readonly charged: number;
  readonly refunded: number;
}

const NAMES = ["", "llm"];
const SCHEDULES = 150;
const STEPS = 200;

class Schedule {
  private readonly random: () => number;
  private readonly edges = ["a", "b", "c"].map((name) => new ModelEdge(name));
  private readonly world: LeaseWorld;
  private readonly lateMs: readonly number[];
  private wire: { readonly atMs: number; readonly arrive: () => void }[] = [];
  private readonly faults: Faults;

  constructor(seed: number) {
    this.random = seeded(seed);
    const rare = (most: number): number => (this.random() < 0.5 ? 0 : this.random() * most);
    this.faults = {
      ...{ lost: rare(0.3), doubled: rare(0.4), late: rare(0.5), dies: rare(0.03), replaced: rare(0.1) },
      ...{ evicted: rare(0.1), failover: rare(0.03), stands: rare(0.1), replanned: rare(0.03) },
      ...{ charged: rare(0.1), refunded: rare(0.2) },
    };
    this.lateMs = [0, rare(1) * CLOCKS_DIFFER_MS].map(Math.floor);
    this.world = new LeaseWorld(this.aPlan());
  }

  run(steps: number): number {
    for (let step = 0; step < steps; step++) this.step();
    return this.world.admitted;
  }

  private step(): void {
    this.pass(this.chance(0.05) ? this.upTo(6000) : this.chance(0.3) ? this.upTo(400) : this.upTo(20));
    const { faults, world } = this;
    const edge = this.anEdge();
    if (this.chance(faults.dies)) edge.die();
    if (this.chance(faults.replaced)) edge.replace();
    if (this.chance(faults.evicted)) edge.evict(world.nowMs);
    if (this.chance(faults.failover)) world.failOver(this.upTo(8));
    if (this.chance(faults.stands)) world.stoodMs += this.stood();
    if (this.chance(faults.replanned)) world.plan = this.aPlan();
    if (this.chance(faults.charged)) edge.charge(world.nowMs, this.aName(), this.upTo(5 * MICRO), 30 * MICRO);
    if (this.chance(faults.refunded)) edge.refund(this.aName(), this.upTo(5 * MICRO));
    this.use(edge);
  }

  /** Time stands by less than has passed: the fleet clock never goes back. */
  private stood(): number {
    const ms = this.upTo(500);
    this.pass(ms);
    return ms;
  }

  private use(edge: ModelEdge): void {
    const { world } = this;
    const cost = this.aCost();
    const requests = this.upTo(12);
    let isDry = false;
    for (let request = 0; request < requests && !isDry; request++) {
      isDry = !edge.spend(world.nowMs, cost);
      if (!isDry) world.admit(cost);
    }
    const want = Object.fromEntries(NAMES.map((name) => [name, this.upTo(30) * MICRO + (cost[name] ?? 0)]));
    if (this.chance(0.05)) this.send(edge, edge.giveBack(world.nowMs));
    else if (isDry || this.chance(0.3)) this.send(edge, edge.ask(world.nowMs, { cost, want }));
  }

  private send(edge: ModelEdge, sent: SentAsk | undefined): void {
    if (sent === undefined) return;
    for (let copies = this.chance(this.faults.doubled) ? 2 : 1; copies > 0; copies--) {
      this.later(() => {
        const { answer } = this.world.decide(sent, this.lateMs[this.upTo(2)] ?? 0);
        for (let answers = this.chance(this.faults.doubled) ? 2 : 1; answers > 0; answers--) {
          this.later(() => {
            edge.take(this.world.nowMs, sent, answer);
          });
        }
      });
    }
  }

  private later(arrive: () => void): void {
    if (this.chance(this.faults.lost)) return;
    const ms = this.chance(this.faults.late) ? this.upTo(this.chance(0.3) ? 9000 : 1500) : 1 + this.upTo(4);
    this.wire.push({ atMs: this.world.nowMs + ms, arrive });
  }

  private pass(ms: number): void {
    const endMs = this.world.nowMs + ms;
    for (;;) {
      const next = this.wire.reduce<(typeof this.wire)[number] | undefined>((first, one) => {
        return one.atMs <= endMs && (first === undefined || one.atMs < first.atMs) ? one : first;
      }, undefined);
      if (next === undefined) break;
      this.wire = this.wire.filter((one) => one !== next);
      this.world.nowMs = Math.max(this.world.nowMs, next.atMs);
      next.arrive();
    }
    this.world.nowMs = endMs;
  }

  private aPlan(): FleetPlan {
    const rate = (): number => (this.chance(0.2) ? 0.000_003 : 0.7 + this.upTo(60) / 7);
    const round = (perSecond: number): number => Math.round(perSecond * MICRO) / MICRO;
    const limits = this.chance(0.3) ? {} : { llm: [5 + this.upTo(30), round(rate())] as [number, number] };
    return { ...planOf(5 + this.upTo(40), round(rate()), limits), id: this.upTo(2) };
  }

  private aCost(): Record<string, number> {
    const cost = (): number => (this.chance(0.1) ? 5 * MICRO : this.chance(0.2) ? 333_333 : MICRO);
    return this.chance(0.5) ? { "": cost() } : { "": cost(), llm: cost() };
  }

  private anEdge(): ModelEdge {
    return this.edges[this.upTo(3)] ?? new ModelEdge("none");
  }

  private aName(): string {
    return NAMES[this.upTo(2)] ?? "";
  }

  private chance(of: number): boolean {
    return this.random() < of;
  }

  /** A whole number below `most`. */
  private upTo(most: number): number {
    return Math.floor(this.random() * most);
  }
}

describe("leases of a fleet budget, whatever goes wrong", () => {
  it("no window admits more than the budget holds and gains in it", () => {
    let admitted = 0;
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      try {
        admitted += new Schedule(seed).run(STEPS);
      } catch (failure) {
        throw new Error(`seed ${String(seed)}: ${String(failure)}`, { cause: failure });
      }
    }
    expect(admitted).toBeGreaterThan(0);
  });
});
