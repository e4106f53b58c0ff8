// Edges that want more than a budget gives, where nothing fails: how much of it is used, by whom, and with how many calls.
import { describe, expect, it } from "vitest";

import { LEASE_RETRY_MS } from "../../../../assembly/contract.js";
import type { FleetPlan } from "../../../src/domain/leases/lease-ask.js";
import { ModelEdge } from "./lease-edge.js";
import type { SentAsk } from "./lease-edge.js";
import { LeaseWorld, MICRO, planOf } from "./lease-world.js";

const LEAD_MS = 250;
const IDLE_MS = 500;
const WINDOW_MS = 1000;

/** Requests a second at a time, and what each costs: tokens. */
interface Load {
  readonly perSecond: (atMs: number) => number;
  readonly cost: number;
  /** Whether a refused request comes again, as soon as it may. */
  readonly insists?: boolean;
}

/** An edge under load: it asks ahead of need, where it is dry, and gives back when it is idle. */
class LoadedEdge {
  admitted = 0;
  readonly waitsMs: number[] = [];
  private readonly edge: ModelEdge;
  private readonly used: { readonly atMs: number; readonly amount: number }[] = [];
  private credit = 0;
  private waitingSince: number[] = [];
  private isAsking = false;
  private askedMs = -Infinity;
  private spentMs = -Infinity;

  constructor(
    name: string,
    private readonly load: Load,
    private readonly fleet: Fleet,
  ) {
    this.edge = new ModelEdge(name);
  }

  tick(nowMs: number): void {
    while ((this.used[0]?.atMs ?? nowMs) < nowMs - WINDOW_MS) this.used.shift();
    this.credit += this.load.perSecond(nowMs - this.fleet.startMs) / 1000;
    for (; this.credit >= 1; this.credit--) this.waitingSince.push(nowMs);
    this.serve(nowMs);
    if (this.isAsking || nowMs < this.edge.retryAtMs || nowMs < this.askedMs + LEASE_RETRY_MS) return;
    const left = this.edge.left(nowMs, "");
    const isLow = this.usedInWindow() > 0 && left < (this.usedInWindow() * LEAD_MS) / WINDOW_MS;
    if (left > 0 && nowMs > this.spentMs + IDLE_MS) this.send(nowMs, this.edge.giveBack(nowMs));
    else if (this.waitingSince.length > 0 || (isLow && nowMs < this.spentMs + LEAD_MS))
      this.send(nowMs, this.ask(nowMs));
  }

  private serve(nowMs: number): void {
    const amount = this.load.cost * MICRO;
    while (this.waitingSince.length > 0 && this.edge.spend(nowMs, { "": amount })) {
      this.fleet.world.admit({ "": amount });
      this.admitted += this.load.cost;
      this.used.push({ atMs: nowMs, amount });
      this.spentMs = nowMs;
      this.waitsMs.push(nowMs - (this.waitingSince.shift() ?? nowMs));
    }
    // What is not held for an answer is denied.
    const isDenied = !this.load.insists && nowMs < this.edge.retryAtMs;
    if (isDenied) this.waitingSince = [];
  }

  private ask(nowMs: number): SentAsk {
    const cost = this.load.cost * MICRO;
    return this.edge.ask(nowMs, { cost: { "": cost }, want: { "": 2 * this.usedInWindow() + cost } });
  }

  private usedInWindow(): number {
    return this.used.reduce((sum, { amount }) => sum + amount, 0);
  }

  private send(nowMs: number, sent: SentAsk | undefined): void {
    if (sent === undefined) return;
    this.isAsking = true;
    this.askedMs = nowMs;
    this.fleet.call(sent, (answer) => {
      this.isAsking = false;
      this.edge.take(this.fleet.world.nowMs, sent, answer);
    });
  }
}

class Fleet {
  readonly world: LeaseWorld;
  readonly startMs: number;
  readonly edges: readonly LoadedEdge[];
  calls = 0;
  private wire: { readonly atMs: number; readonly arrive: () => void }[] = [];

  constructor(plan: FleetPlan, loads: readonly Load[]) {
    this.world = new LeaseWorld(plan);
    this.startMs = this.world.nowMs;
    this.edges = loads.map((load, index) => new LoadedEdge(`edge-${String(index)}`, load, this));
  }

  run(ms: number): this {
    for (let passed = 0; passed < ms; passed++) {
      this.world.nowMs += 1;
      const due = this.wire.filter(({ atMs }) => atMs <= this.world.nowMs);
      this.wire = this.wire.filter((one) => !due.includes(one));
      for (const { arrive } of due) arrive();
      // Each is first at times.
      const first = this.world.nowMs % this.edges.length;
      for (const edge of [...this.edges.slice(first), ...this.edges.slice(0, first)]) edge.tick(this.world.nowMs);
    }
    return this;
  }

  call(sent: SentAsk, done: (answer: ReturnType<LeaseWorld["decide"]>["answer"]) => void): void {
    this.calls += 1;
    this.later(() => {
      const { answer } = this.world.decide(sent, 0);
      this.later(() => {
        done(answer);
      });
    });
  }

  get admitted(): number {
    return this.edges.reduce((sum, { admitted }) => sum + admitted, 0);
  }

  private later(arrive: () => void): void {
    this.wire.push({ atMs: this.world.nowMs + 2, arrive });
  }
}

const steady = (perSecond: number, cost = 1): Load => ({ perSecond: () => perSecond, cost });
const RUN_MS = 20_000;

describe("leases under more demand than there is", () => {
  it.each([
    ["even", [steady(100), steady(100), steady(100)]],
    ["uneven", [steady(300), steady(60), steady(10)]],
    [
      "shifting",
      [0, 1, 2].map((turn) => ({
        perSecond: (ms: number) => (Math.floor(ms / 1000) % 3 === turn ? 400 : 20),
        cost: 1,
      })),
    ],
    ["of one edge", [steady(300)]],
  ] as [string, Load[]][])("a budget is used to 94 percent under %s load", (_name, loads) => {
    const fleet = new Fleet(planOf(100, 100), loads).run(RUN_MS);
    const bound = 100 + (100 * RUN_MS) / 1000;
    expect(fleet.admitted).toBeGreaterThan(bound * 0.94);
    expect((fleet.calls * 1000) / fleet.admitted).toBeLessThan(45 * loads.length);
  });

  it("an edge that wants little has it within two seconds while others want all", () => {
    for (const rate of [1, 3, 10, 100]) {
      const little = { perSecond: () => Math.min(1, rate / 5), cost: 1, insists: true };
      const fleet = new Fleet(planOf(20, rate), [steady(500), little, steady(500)]).run(RUN_MS);
      const waits = fleet.edges[1]?.waitsMs ?? [];
      expect(waits.length).toBeGreaterThanOrEqual(rate === 1 ? 3 : 10);
      expect(Math.max(...waits)).toBeLessThan(1000 + 2000 / rate);
    }
  });

  it("a request dearer than any lease passes at once when the budget has it", () => {
    const dear = { perSecond: (ms: number) => (ms < 1100 ? 1 : 0), cost: 60 };
    const fleet = new Fleet(planOf(100, 5), [steady(3), dear]).run(3000);
    expect(fleet.edges[1]?.waitsMs).toStrictEqual([4]);
  });
});
