// What an ask is answered: each rule by itself.
import { describe, expect, it } from "vitest";

import { LEASE_REPEAT_MS, LEASE_TTL_MS } from "../../../../assembly/contract.js";
import { decideLease } from "../../../src/domain/leases/decide-lease.js";
import type { FleetBudget } from "../../../src/domain/leases/fleet-budget.js";
import type { LeaseAsk } from "../../../src/domain/leases/lease-ask.js";
import { levelsNowOfBudget } from "../../../src/domain/leases/shown-budget.js";
import { A, B, WISH, FIRST, LIFE_MS, asked, at, first, levelOf, oneAt, plan } from "./lease-asks.js";
import { MICRO, planOf } from "./lease-world.js";

describe("the answer to an ask for a lease", () => {
  it("a first ask is granted what it wants, and the budget has so much less", () => {
    const { answer, budget, outcome, moved } = first();
    expect(answer).toStrictEqual({ ask: FIRST, granted: { "": 40 * MICRO }, ttlMs: LEASE_TTL_MS });
    expect({ level: levelOf(budget), outcome, granted: moved.granted }).toStrictEqual({
      ...{ level: 60, outcome: "granted", granted: { "": 40 * MICRO } },
    });
  });

  it("the same ask has the same answer, for as long as is left of it", () => {
    const { budget } = first();
    const again = decideLease(budget, asked(), at(500));
    expect(again.budget).toBe(budget);
    expect(again.answer).toStrictEqual({ ask: FIRST, granted: { "": 40 * MICRO }, ttlMs: LEASE_TTL_MS - 500 });
    const next = decideLease(budget, asked({ ask: FIRST + 1, applied: FIRST, left: {} }), at(600)).budget;
    const late = decideLease(next, asked({ ask: FIRST + 1, applied: FIRST }), at(600 + LEASE_TTL_MS));
    expect(late.answer).toMatchObject({ ask: FIRST + 1, granted: {}, ttlMs: 0 });
  });

  it("an acquire has an earlier one's answer only while both can be of one miss", () => {
    const { budget } = first();
    const later = (ms: number) => decideLease(budget, asked({ at: 7000 + ms }), at(500));
    for (const ms of [-9, LEASE_REPEAT_MS - 1]) expect(later(ms)).toMatchObject({ outcome: "repeated", budget });
    // The fleet clock stood while the record that took the answer was spent from and evicted.
    const another = later(LEASE_REPEAT_MS);
    expect(another.answer).toMatchObject({ ask: 2 * FIRST, granted: {} });
    expect(levelsNowOfBudget(another.budget, plan, oneAt(500)).buckets[0]?.outstanding).toBe(40 * MICRO);
    const again = decideLease(another.budget, asked({ at: 7000 + LEASE_REPEAT_MS + 1 }), at(500));
    expect(again).toMatchObject({ outcome: "repeated", answer: another.answer });
  });

  it("an acquire that does not say when it asks is not given the same again", () => {
    const silent: LeaseAsk = { ...A, ...{ ask: 0, applied: 0, left: {}, back: {}, settled: {} }, ...WISH };
    for (const before of [silent, asked()]) {
      const { budget } = decideLease(undefined, before, at(0));
      expect(decideLease(budget, silent, at(1)).answer.granted).toStrictEqual({});
    }
    expect(decideLease(decideLease(undefined, silent, at(0)).budget, asked(), at(1)).answer.granted).toStrictEqual({});
  });

  it("a late ask is told which number counts, and changes nothing", () => {
    const { budget } = first();
    const late = decideLease(budget, asked({ ask: 7, settled: { "": MICRO } }), at(10));
    expect(late).toMatchObject({ outcome: "stale", answer: { ask: 7, is: FIRST, granted: {} } });
    expect(late.budget).toBe(budget);
  });

  it("an acquire beside a lease in use is given a number and nothing else", () => {
    const used = decideLease(
      first().budget,
      asked({ ask: FIRST + 1, applied: FIRST, left: { "": 30 * MICRO } }),
      at(10),
    );
    const { answer, budget } = decideLease(used.budget, asked(), at(20));
    expect({ ask: answer.ask, granted: answer.granted }).toStrictEqual({ ask: 2 * FIRST + 1, granted: {} });
    expect(levelsNowOfBudget(budget, plan, oneAt(20)).buckets[0]?.outstanding).toBe(40 * MICRO);
    const goesOn = decideLease(
      budget,
      asked({ ask: 2 * FIRST + 2, applied: 2 * FIRST, left: { "": 40 * MICRO } }),
      at(30),
    );
    expect(goesOn.moved).toMatchObject({ spent: {}, voided: {} });
  });

  it("what an answer granted that was never taken comes back at the next ask", () => {
    const ask = { ask: FIRST + 1, applied: FIRST - 1, want: {} };
    const { budget, moved } = decideLease(first().budget, asked(ask), at(0));
    expect(moved.voided).toStrictEqual({ "": 40 * MICRO });
    expect(levelOf(budget)).toBe(100);
  });

  it("what is given back and refunded comes back, each once", () => {
    const ask = { ask: FIRST + 1, applied: FIRST, back: { "": 10 * MICRO }, settled: { "": 5 * MICRO }, want: {} };
    const once = decideLease(first().budget, asked(ask), at(0));
    expect(once.moved).toMatchObject({ returned: { "": 10 * MICRO }, spent: { "": 30 * MICRO } });
    expect(levelOf(once.budget)).toBe(75);
    expect(decideLease(once.budget, asked(ask), at(0)).budget).toBe(once.budget);
    // The lease is over by then: its number is still known.
    const late = decideLease(once.budget, asked({ ...ask, ask: FIRST }), at(LIFE_MS * 2));
    expect(late.outcome).toBe("stale");
  });

  it("a refund that comes when the lease is long over still counts", () => {
    const over = decideLease(first().budget, asked({ ...B, want: { "": 90 * MICRO } }), at(0)).budget;
    const before = levelOf(over, LIFE_MS + 1000);
    const ask = asked({ ask: FIRST + 1, applied: FIRST, settled: { "": 5 * MICRO }, want: {} });
    expect(levelOf(decideLease(over, ask, at(LIFE_MS + 1000)).budget, LIFE_MS + 1000)).toBe(before + 5);
  });

  it("a debt is taken over once, however often it is told", () => {
    const ask = { applied: FIRST, left: { "": -20 * MICRO }, want: {} };
    const once = decideLease(first().budget, asked({ ...ask, ask: FIRST + 1 }), at(0)).budget;
    expect(levelOf(once)).toBe(40);
    expect(levelOf(decideLease(once, asked({ ...ask, ask: FIRST + 2 }), at(0)).budget)).toBe(40);
  });

  it("what is out is in the way of refill until the lease ends", () => {
    const { budget } = decideLease(undefined, asked({ cost: { "": 100 * MICRO }, want: { "": 100 * MICRO } }), at(0));
    expect(levelOf(budget, LIFE_MS)).toBe(0);
    expect(levelOf(budget, LIFE_MS + 1000)).toBe(10);
    const next = decideLease(budget, asked({ ...B }), at(LIFE_MS + 1000));
    expect(next.moved.expired).toStrictEqual({ "": 100 * MICRO });
  });

  it("a refused request is told when the budget has it", () => {
    const { budget } = decideLease(undefined, asked({ cost: { "": 100 * MICRO } }), at(0));
    const ask = { ask: FIRST + 1, applied: FIRST, cost: { "": MICRO }, want: { "": MICRO } };
    const { answer, outcome } = decideLease(budget, asked(ask), at(1));
    expect(outcome).toBe("refused");
    expect(answer.refused).toStrictEqual({ bucket: "", retryAfterMs: 100 });
  });

  it("a request that one bucket refuses takes from none", () => {
    const two = planOf(100, 10, { llm: [5, 1] });
    const ask = asked({ cost: { "": MICRO, llm: 6 * MICRO }, want: { "": MICRO, llm: MICRO } });
    const { answer } = decideLease(undefined, ask, at(0, { plan: two }));
    expect(answer.granted).toStrictEqual({});
    expect(answer.refused).toMatchObject({ bucket: "llm" });
  });

  it("an edge with more than its lease covers keeps it no longer, and gets nothing", () => {
    const late = asked({ ask: FIRST + 1, applied: FIRST, left: { "": 10 * MICRO } });
    const { answer } = decideLease(first().budget, late, at(LIFE_MS + 100));
    expect({ granted: answer.granted, ttlMs: answer.ttlMs }).toStrictEqual({ granted: {}, ttlMs: 0 });
  });

  it("nothing is taken back that was not out, nor a refund from an instance that is not known", () => {
    const much = asked({ ask: FIRST + 1, applied: FIRST, back: { "": 900 * MICRO }, want: {} });
    const other = asked({ ...B, ask: 3, applied: 3, settled: { "": 5 * MICRO }, want: {} });
    expect(decideLease(first().budget, much, at(0)).moved.returned).toStrictEqual({ "": 40 * MICRO });
    const spent = decideLease(first().budget, asked({ ask: FIRST + 1, applied: FIRST, want: {} }), at(0)).budget;
    expect(levelOf(decideLease(spent, other, at(0)).budget)).toBe(60);
  });

  it("an acquire long after a debt was taken over does not undo it", () => {
    const owing = asked({ ask: FIRST + 1, applied: FIRST, left: { "": -60 * MICRO }, want: {} });
    const { budget } = decideLease(first().budget, owing, at(0));
    expect(levelOf(budget)).toBe(0);
    const again = decideLease(budget, asked({ want: {} }), at(1000));
    expect(levelOf(again.budget, 1000)).toBe(10);
  });

  it("an edge that waits longer comes first", () => {
    const one = { cost: { "": MICRO }, want: { "": MICRO } };
    const empty = decideLease(undefined, asked({ edge: "z", cost: { "": 100 * MICRO } }), at(0)).budget;
    const early = decideLease(empty, asked(one), at(10)).budget;
    const both = decideLease(early, asked({ ...B, ...one }), at(20)).budget;
    const next = { ...one, ask: FIRST + 1, applied: FIRST };
    // There is no room for refill before the first lease says that it is spent.
    const spent = decideLease(both, asked({ edge: "z", ask: FIRST + 1, applied: FIRST, want: {} }), at(30)).budget;
    const later = decideLease(spent, asked({ ...B, ...next }), at(135));
    const sooner = decideLease(later.budget, asked(next), at(136));
    expect([later.moved.granted, sooner.moved.granted]).toStrictEqual([{}, { "": MICRO }]);
  });

  it("an edge is not given crumbs with each ask", () => {
    const dear = decideLease(undefined, asked({ cost: { "": 98 * MICRO } }), at(0)).budget;
    const drained = decideLease(dear, asked({ ask: FIRST + 1, applied: FIRST, want: {} }), at(0)).budget;
    const { budget, moved } = decideLease(drained, asked({ ask: FIRST + 2, applied: FIRST + 1 }), at(1));
    expect(moved.granted).toStrictEqual({ "": 2 * MICRO });
    const soon = decideLease(budget, asked({ ask: FIRST + 3, applied: FIRST + 2 }), at(51));
    expect(soon.answer.refused).toStrictEqual({ bucket: "", retryAfterMs: 350 });
    const due = decideLease(soon.budget, asked({ ask: FIRST + 4, applied: FIRST + 3 }), at(301));
    expect(due.moved.granted).toStrictEqual({ "": 3 * MICRO });
  });

  it("an edge that is given its part is to do with it for half a second, less 100 ms", () => {
    const fast = { plan: planOf(1000, 100) };
    const dear = decideLease(undefined, asked({ cost: { "": 950 * MICRO } }), at(0, fast)).budget;
    const spent = asked({ ask: FIRST + 1, applied: FIRST, want: {} });
    const drained = decideLease(dear, spent, at(0, fast)).budget;
    const ask = { ...B, want: { "": 100 * MICRO } };
    const given = decideLease(drained, asked({ ...ask, ask: 1 }), at(10, fast));
    expect(given.answer).toMatchObject({ granted: { "": 50 * MICRO }, refused: { bucket: "", retryAfterMs: 500 } });
    const next = (ms: number) => decideLease(given.budget, asked({ ...ask, ask: 2, applied: 1 }), at(ms, fast)).outcome;
    expect([next(150), next(410)]).toStrictEqual(["refused", "granted"]);
  });

  it("an edge is to say sooner what it spent where what is out keeps the bucket full", () => {
    const fast = { plan: planOf(100, 100) };
    const { budget } = decideLease(undefined, asked({ want: { "": 100 * MICRO } }), at(0, fast));
    const of = { ask: FIRST + 1, applied: FIRST, left: { "": 40 * MICRO }, want: { "": 100 * MICRO } };
    const { answer } = decideLease(budget, asked(of), at(10, fast));
    expect(answer.refused).toStrictEqual({ bucket: "", retryAfterMs: 100 });
  });

  it("an edge that wants little has it, as long as that is no more than an equal part", () => {
    const fast = { plan: planOf(100, 100) };
    const { budget } = decideLease(undefined, asked({ want: { "": 100 * MICRO } }), at(0, fast));
    const little = asked({ ...B, ask: 1, want: { "": 10 * MICRO } });
    expect(decideLease(budget, little, at(10, fast)).answer.granted).toStrictEqual({ "": 10 * MICRO });
  });

  it("an edge that has not asked for a second takes no part of what others want", () => {
    const fast = { plan: planOf(100, 100) };
    const { budget } = decideLease(undefined, asked({ want: { "": 100 * MICRO } }), at(0, fast));
    const grant = (ms: number) =>
      decideLease(budget, asked({ ...B, ask: 1, want: { "": 100 * MICRO } }), at(ms, fast)).answer.granted[""];
    expect([grant(999), grant(1000)]).toStrictEqual([25 * MICRO, 50 * MICRO]);
  });

  it("no lease is more than half of what the bucket holds, but for one request", () => {
    const small = planOf(4, 100);
    const of = (cost: number): unknown =>
      decideLease(undefined, asked({ cost: { "": cost * MICRO } }), at(0, { plan: small })).moved.granted;
    expect([of(1), of(3)]).toStrictEqual([{ "": 2 * MICRO }, { "": 3 * MICRO }]);
  });

  it("past 256 instances none gets a lease until one ends", () => {
    let budget: FleetBudget | undefined;
    const want = { cost: { "": 1000 }, want: { "": 1000 } };
    for (let edge = 0; edge < 256; edge++) {
      budget = decideLease(budget, asked({ ...want, edge: `e${String(edge)}` }), at(0)).budget;
    }
    expect(decideLease(budget, asked(want), at(1)).answer).toMatchObject({ granted: {}, refused: { bucket: "" } });
    const later = decideLease(budget, asked(want), at(LIFE_MS));
    expect(later.outcome).toBe("granted");
    expect(later.budget.leases.length).toBeLessThanOrEqual(65);
    expect(later.answer.ask).toBe(FIRST);
    // Of one whose lease is not kept any more: above whatever it was given.
    const back = decideLease(later.budget, asked({ ...want, edge: "e0" }), at(LIFE_MS));
    expect(back.answer.ask).toBe(2 * FIRST);
  });
});
