// What a fleet budget begins with, in each life of the store and after edge scope, and how it fills.
import { describe, expect, it } from "vitest";

import { decideLease } from "../../../src/domain/leases/decide-lease.js";
import { refilled } from "../../../src/domain/leases/exact-level.js";
import type { ExactLevel, FleetBudget } from "../../../src/domain/leases/fleet-budget.js";
import type { FleetPlan, LeaseMoment } from "../../../src/domain/leases/lease-ask.js";
import { levelsNowOfBudget } from "../../../src/domain/leases/shown-budget.js";
import { nobodyAt } from "../../../src/domain/leases/store-life.js";
import type { DecidingClock } from "../../../src/domain/leases/store-life.js";
import { clockAt } from "../../support/fleet-budgets.js";
import { A, B, FIRST, LIFE_MS, asked, at, first, levelOf, oneAt, plan, row } from "./lease-asks.js";
import { MICRO, planOf } from "./lease-world.js";

describe("a fleet budget in another life of the store", () => {
  it("nothing is granted until leases of lost commits have ended, then what was gained since", () => {
    const { budget } = first();
    const moment = { log: "two" };
    const frozen = decideLease(budget, asked({ ...B }), at(1000, moment));
    expect(frozen.answer).toMatchObject({ granted: {}, refused: { bucket: "", retryAfterMs: LIFE_MS } });
    const thawed = decideLease(
      frozen.budget,
      asked({ ...B, ask: 90_000, applied: 90_000 }),
      at(1000 + LIFE_MS + 500, moment),
    );
    expect(thawed.moved.granted).toStrictEqual({ "": 5 * MICRO });
  });

  it("what was asked in the life before counts for nothing, nor refunds before leases have ended", () => {
    const moment = { log: "two" };
    const before = asked({ ask: FIRST + 1, applied: FIRST, want: {} });
    const { budget, answer } = decideLease(first().budget, before, at(0, moment));
    expect(answer.is).toBeGreaterThan(FIRST + 60_000);
    const { is = 0 } = answer;
    const refund = asked({ ask: is + 1, applied: is - 1, settled: { "": 5 * MICRO }, want: {} });
    expect(levelOf(decideLease(budget, refund, at(10, moment)).budget, 10)).toBe(0);
  });

  it("a session older than the store's life begins with nothing, a new one with a full bucket", () => {
    const older = decideLease(undefined, asked(), at(10_000, { lifeBeganMs: 10_000 - LIFE_MS - 500 }));
    expect(older.moved.granted).toStrictEqual({ "": 5 * MICRO });
    expect(first().moved.granted).toStrictEqual({ "": 40 * MICRO });
  });

  it("what is waited for is counted from when the life began, not from the first ask in it", () => {
    const moment = (fleetMs: number) => at(fleetMs, { log: "two", lifeBeganMs: 1000 });
    const soon = decideLease(first().budget, asked({ ...B }), moment(1000 + LIFE_MS - 70));
    expect(soon.answer).toMatchObject({ granted: {}, refused: { bucket: "", retryAfterMs: 70 } });
    const later = decideLease(first().budget, asked({ ...B }), moment(1000 + LIFE_MS + 500));
    expect(later.moved.granted).toStrictEqual({ "": 5 * MICRO });
  });

  it("a life whose clock is behind what the lost one had come to waits as long as any", () => {
    const { budget } = decideLease(undefined, asked(), at(90_000));
    const moment = (fleetMs: number) => at(fleetMs, { log: "two", lifeBeganMs: 1000 });
    const frozen = decideLease(budget, asked({ ...B }), moment(1100));
    expect(frozen.answer.refused?.retryAfterMs).toBe(LIFE_MS - 100);
    expect(frozen.budget).toMatchObject({ atMs: 1100, frozenUntilMs: 1000 + LIFE_MS });
    // No lease of before holds its tokens longer than it can live.
    expect(levelOf(frozen.budget, 1000 + LIFE_MS + 2000)).toBe(20);
    const thawed = decideLease(frozen.budget, asked({ ...B, ask: 90_000 }), moment(1000 + LIFE_MS + 2000));
    expect(thawed.moved.granted).toStrictEqual({ "": 10 * MICRO });
  });

  it("a bucket that is new to a session of before has what came in since, one of this life all", () => {
    const two = planOf(100, 10, { llm: [50, 1] });
    const llmOf = (of: Partial<LeaseMoment>, known: Partial<LeaseMoment> = {}): number => {
      const before = decideLease(undefined, asked({ want: {} }), at(20_000, known)).budget;
      const { budget } = decideLease(before, asked({ ...B, want: {} }), at(20_000, { plan: two, ...of }));
      return (budget.levels.llm?.micro ?? NaN) / MICRO;
    };
    const older = { lifeBeganMs: 20_000 - LIFE_MS - 7000 };
    expect([llmOf(older, older), llmOf({})]).toStrictEqual([7, 50]);
    expect(llmOf({ lifeBeganMs: 19_000 }, { lifeBeganMs: 19_000 })).toBe(0);
  });

  it("time in another life, too, counts by what admits less where the plan has changed", () => {
    const { budget } = decideLease(undefined, asked({ want: {} }), at(0, { plan: planOf(100, 1) }));
    const next = decideLease(budget, asked({ ...B, want: {} }), at(LIFE_MS + 2000, { log: "two", lifeBeganMs: 0 }));
    expect((next.budget.levels[""]?.micro ?? NaN) / MICRO).toBe(2);
  });

  it("a limit whose name every object has is a new bucket in another life, as any other", () => {
    const plan = planOf(100, 10, Object.fromEntries([["constructor", [50, 1] as [number, number]]]));
    const next = decideLease(first().budget, asked({ ...B, want: {} }), at(0, { plan, log: "two", lifeBeganMs: 0 }));
    expect(next.budget.levels.constructor).toMatchObject({ micro: 0, remainder: 0 });
  });

  it("debts stay in another life", () => {
    const owing = asked({ ask: FIRST + 1, applied: FIRST, left: { "": -90 * MICRO }, want: {} });
    const { budget } = decideLease(first().budget, owing, at(0));
    expect(levelOf(budget)).toBe(-30);
    const next = decideLease(budget, asked({ ...B, want: {} }), at(0, { log: "two", lifeBeganMs: 0 }));
    expect(levelOf(next.budget)).toBe(-30);
  });
});

describe("changes between edge and fleet scope", () => {
  it("a fleet budget begins with what all edges together have left", () => {
    const rows = [
      row("a", { levelMicro: 70 * MICRO }),
      row("b", { levelMicro: 60 * MICRO }),
      row("c", { levelMicro: -90 * MICRO, isLease: true }),
    ];
    const { budget } = decideLease(undefined, asked({ want: {} }), at(0, { rows }));
    expect(levelOf(budget)).toBe(30);
    const owing = [row("a", { levelMicro: -90 * MICRO }), row("b", { levelMicro: -90 * MICRO })];
    expect(levelOf(decideLease(undefined, asked({ want: {} }), at(0, { rows: owing })).budget)).toBe(-100);
  });

  it("a later report under edge scope lowers the budget, an earlier one does not", () => {
    const { budget } = decideLease(undefined, asked({ want: {} }), at(1000));
    const moved = (reportedAtMs: number): number => {
      const rows = [row("b", { levelMicro: 20 * MICRO, atMs: 1001, reportedAtMs })];
      return levelOf(decideLease(budget, asked({ ...B, want: {} }), at(1001, { rows })).budget, 1001);
    };
    expect([moved(1000), moved(1001)]).toStrictEqual([100, 20]);
  });

  it("what leases hold is shown with the time that is left of them", () => {
    const shown = levelsNowOfBudget(first().budget, plan, oneAt(1000));
    expect(shown).toStrictEqual({
      buckets: [{ name: "", level: 60 * MICRO, outstanding: 40 * MICRO }],
      leases: [{ ...A, outstanding: { "": 40 * MICRO }, endsInMs: LIFE_MS - 1000 }],
    });
  });
});

describe("how a fleet budget fills", () => {
  it("nothing is gained or lost by the number of looks", () => {
    const slow = { maxTokens: 1000, tokenRefillRate: null, refill: "10000/1d" };
    const room = 1000 * MICRO;
    const full = { room, at: oneAt(0) };
    let level = { micro: 0, remainder: 0 };
    for (let look = 0; look < 1000; look++) level = refilled(level, 7, slow, full);
    expect(level).toStrictEqual(refilled({ micro: 0, remainder: 0 }, 7000, slow, full));
    expect(refilled(level, 86_400_000, slow, full)).toMatchObject({ micro: room, remainder: 0 });
  });

  it("what two clocks may differ by is not credited where one found a bucket full, or nearly", () => {
    const known = decideLease(undefined, asked({ want: {} }), at(0)).budget;
    const emptied = (levels: FleetBudget["levels"]): FleetBudget["levels"] => ({
      "": { ...(levels[""] as ExactLevel), micro: 0 },
    });
    /** A second after so much was found in it at 1000 ms, and all of it taken. */
    const after = (found: number, by: DecidingClock, foundBy = clockAt(1000, "one")): number => {
      const spent = { ...known, atMs: 1000, levels: { "": { micro: found * MICRO, remainder: 0 } } };
      const looked = decideLease(spent, asked({ ...B, want: {} }), at(1000, { by: foundBy })).budget;
      const empty = { ...looked, levels: emptied(looked.levels) };
      const { budget } = decideLease(empty, asked({ ...B, edge: "c", want: {} }), at(2000, { by }));
      return (budget.levels[""]?.micro ?? NaN) / MICRO;
    };
    const other = (leads?: Record<string, number>): DecidingClock => clockAt(2000, "other", leads);
    expect([after(100, clockAt(2000, "one")), after(100, other()), after(100, nobodyAt(2000))]).toStrictEqual([
      10, 7.5, 7.5,
    ]);
    expect([after(99, other()), after(98, other()), after(97, other())]).toStrictEqual([8.5, 9.5, 10]);
    expect([after(100, other({ one: 20 })), after(99, other({ one: 120 }))]).toStrictEqual([9.8, 9.8]);
    expect(after(99, other({ one: 100 }))).toBe(10);
    // By the store's time of then it is not known how late that was.
    expect(after(100, nobodyAt(2000), nobodyAt(1000))).toBe(7.5);
  });

  it("a clock that is behind a budget is that much less behind others there", () => {
    const known = decideLease(undefined, asked({ want: {} }), at(0)).budget;
    const full = { ...known, atMs: 1100, levels: { "": { micro: 100 * MICRO, remainder: 0 } } };
    const { budget } = decideLease(full, asked({ ...B, want: {} }), at(1000, { by: clockAt(1000, "one") }));
    expect(budget.levels[""]?.near?.["one"]).toStrictEqual({ atMs: 1000, heardMs: 1000, freeMs: 100 });
  });

  it("the time before a change of a bucket's limits counts by what admits less of both", () => {
    const of = (max: number, rate: number): FleetPlan => ({ ...planOf(max, rate), id: 1 });
    const after = (from: FleetPlan, to: FleetPlan): number[] => {
      const whole = asked({ cost: { "": from.maxTokens * MICRO }, want: { "": from.maxTokens * MICRO } });
      const all = decideLease(undefined, whole, at(0, { plan: from })).budget;
      const none = decideLease(all, asked({ ask: FIRST + 1, applied: FIRST, want: {} }), at(0, { plan: from })).budget;
      const changed = decideLease(none, asked({ ...B, want: {} }), at(5000, { plan: to })).budget;
      const { budget } = decideLease(changed, asked({ ...B, edge: "c", want: {} }), at(6000, { plan: to }));
      return [changed, budget].map(({ levels }) => (levels[""]?.micro ?? NaN) / MICRO);
    };
    expect(after(of(100, 1), of(100, 10))).toStrictEqual([5, 15]);
    expect(after(of(100, 10), of(100, 1))).toStrictEqual([5, 6]);
    expect(after(of(20, 10), of(100, 10))).toStrictEqual([20, 30]);
    expect(after(of(100, 10), { ...of(100, 0), tokenRefillRate: null, refill: "60/1m" })).toStrictEqual([5, 6]);
  });

  it("tokens that are out under a larger plan leave no debt under a smaller one", () => {
    const { budget } = first();
    const small = { ...planOf(10, 10), id: 1 };
    expect(levelsNowOfBudget(budget, small, oneAt(0)).buckets[0]).toMatchObject({ level: 0, outstanding: 40 * MICRO });
    expect(levelsNowOfBudget(budget, small, oneAt(LIFE_MS + 500)).buckets[0]).toMatchObject({ level: 5 * MICRO });
  });
});
