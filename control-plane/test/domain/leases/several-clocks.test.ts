// Several fleet clocks over one bucket: real ones, whose calls to the store take their time. However they differ, the bucket
// gives no more than it holds and gains.
import { describe, expect, it } from "vitest";

import type { FleetReading, FleetTime } from "../../../src/app/ports/fleet-time.js";
import { FleetClock } from "../../../src/app/upkeep/fleet-clock.js";
import { decideLease } from "../../../src/domain/leases/decide-lease.js";
import type { FleetBudget } from "../../../src/domain/leases/fleet-budget.js";
import type { LeaseAsk } from "../../../src/domain/leases/lease-ask.js";
import { lifeOfDoubt, momentOf } from "../../../src/domain/leases/store-life.js";
import { Bound, MICRO, planOf, seeded } from "./lease-world.js";

const LOG = "one";
const PLAN = planOf(30, 100);
const CAPACITY = 30 * MICRO;
const PER_MS = MICRO / 10;
const CLOCKS = 3;
const EDGES = ["a", "b", "c"];
const USED_MS = 400;
const RESTS_MS = 500;
/** An edge waits no longer for an answer. */
const LEASE_ASK_MS = 1000;
const RUN_MS = 12_000;
const SEEDS = 60;
/** A clock's ms is a whole one. */
const TOLERANCE = 2 * PER_MS;

const ASK: LeaseAsk = {
  ...{ edge: "", instance: "1", ask: 0, applied: 0, left: {}, back: {}, settled: {} },
  ...{ cost: { "": MICRO }, want: { "": CAPACITY } },
};

/** Time that passes only here. */
class Time {
  nowMs = 0;
  private events: { readonly atMs: number; readonly happen: () => void }[] = [];

  readonly after = (ms: number, happen: () => void): (() => void) => {
    const event = { atMs: this.nowMs + ms, happen };
    this.events.push(event);
    return () => {
      this.events = this.events.filter((one) => one !== event);
    };
  };

  readonly passed = (ms: number): Promise<void> => new Promise((resolve) => this.after(ms, resolve));

  async run(untilMs: number): Promise<void> {
    for (;;) {
      const next = this.events.reduce<(typeof this.events)[number] | undefined>(
        (first, one) => (first === undefined || one.atMs < first.atMs ? one : first),
        undefined,
      );
      if (next === undefined || next.atMs > untilMs) return;
      this.events = this.events.filter((one) => one !== next);
      this.nowMs = next.atMs;
      next.happen();
      for (let turns = 0; turns < 12; turns++) await Promise.resolve();
    }
  }
}

class World {
  private readonly time = new Time();
  private readonly random: () => number;
  private readonly bound = new Bound(CAPACITY, 0);
  private storeMs = 0;
  private budget: FleetBudget | undefined;
  /** How long what most often takes: a call one way. */
  private readonly wayMs: number;
  private readonly stalls: number;
  spent = 0;
  private over: string | undefined;

  constructor(seed: number) {
    this.random = seeded(seed);
    this.wayMs = 1 + this.upTo(this.random() < 0.7 ? 3 : 40);
    this.stalls = this.random() < 0.5 ? 0 : 0.05;
  }

  async run(): Promise<void> {
    const clocks = Array.from({ length: CLOCKS }, (_, nth) => this.start(nth));
    for (const edge of EDGES) void this.use(edge, clocks);
    await this.time.run(RUN_MS);
    if (this.over !== undefined) throw new Error(this.over);
  }

  private start(nth: number): FleetClock {
    const machine = { monotonicMs: () => this.time.nowMs };
    const clock = new FleetClock({ machine, isShared: true, name: String(nth) });
    const asked = async (read: () => void): Promise<FleetReading> => {
      await this.way();
      read();
      const answer = { log: LOG, ms: this.storeMs };
      await this.way();
      return answer;
    };
    const fleetTime: FleetTime = {
      read: () => asked(() => undefined),
      raise: ({ ms }) => asked(() => (this.storeMs = Math.max(this.storeMs, ms))),
    };
    const begin = async (): Promise<void> => {
      await this.time.passed(this.upTo(3000));
      await clock.begin(fleetTime);
      clock.follow(fleetTime, this.time);
    };
    void begin();
    return clock;
  }

  /** An edge that spends at once whatever it is granted, and says so with its next ask. */
  private async use(edge: string, clocks: readonly FleetClock[]): Promise<void> {
    let applied = 0;
    for (let ask = 1; ; ask++) {
      const sentMs = this.time.nowMs;
      const clock = clocks[this.upTo(CLOCKS)];
      // In between nobody wants anything for so long that the bucket is full, and is looked at.
      const rests = this.time.nowMs % (USED_MS + RESTS_MS) >= USED_MS;
      const want = rests ? {} : ASK.want;
      const granted = clock && (await this.asked(clock, { ...ASK, edge, ask, applied, want }));
      if (granted !== undefined && this.time.nowMs - sentMs < LEASE_ASK_MS) {
        applied = ask;
        this.spend(granted);
      }
      await this.time.passed(this.upTo(rests ? RESTS_MS / 2 : 8));
    }
  }

  /** What is granted, microtokens. Reads, decides, and writes, if nobody else has written meanwhile. */
  private async asked(clock: FleetClock, ask: LeaseAsk): Promise<number> {
    for (;;) {
      const now = clock.now();
      await this.way();
      const before = this.budget;
      for (const { near = {} } of Object.values(before?.levels ?? {}))
        for (const [by, found] of Object.entries(near)) clock.learn(LOG, by, found);
      const moment = {
        ...momentOf(LOG, lifeOfDoubt(this.storeMs), now),
        ...{ log: LOG, wallMs: 0, rows: [], plan: PLAN },
      };
      await this.way();
      const { budget, answer } = decideLease(before, ask, moment);
      await this.way();
      if (this.budget !== before) continue;
      this.budget = budget;
      await this.way();
      clock.see(LOG, budget.atMs);
      return answer.granted[""] ?? 0;
    }
  }

  private spend(amount: number): void {
    this.spent += amount;
    this.bound.fill(this.time.nowMs, CAPACITY, PER_MS);
    const left = this.bound.take(amount);
    if (left < -TOLERANCE) this.over ??= `${String(-left / MICRO)} tokens too many at ${String(this.time.nowMs)} ms`;
  }

  private way(): Promise<void> {
    return this.time.passed(this.random() < this.stalls ? this.upTo(900) : this.upTo(2 * this.wayMs));
  }

  /** A whole number below `most`. */
  private upTo(most: number): number {
    return Math.floor(this.random() * most);
  }
}

describe("control planes whose clocks differ", () => {
  it("three control planes give no more of a bucket than it holds and gains, and most of that", async () => {
    let spent = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = new World(seed);
      await world.run().catch((failure: unknown) => {
        throw new Error(`seed ${String(seed)}: ${String(failure)}`, { cause: failure });
      });
      spent += world.spent;
    }
    expect(spent).toBeGreaterThan(0);
  });
});
