// A bucket's level between two reports: exact, and never more than the edge itself would have refilled.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { refilledMicro } from "../../src/domain/level.js";
import type { BucketLimits } from "../../src/domain/level.js";
import { tokensPerSecond } from "../../src/domain/policy/rate.js";

const MICRO = 1_000_000;
const perSecond = (maxTokens: number, tokenRefillRate: number): BucketLimits => ({
  ...{ maxTokens, tokenRefillRate, refill: null },
});
const refilledBy = (maxTokens: number, refill: string): BucketLimits => ({
  ...{ maxTokens, tokenRefillRate: null, refill },
});

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const maxTokens = fc.integer({ min: 1, max: 9_000_000 });
const unit = fc.constantFrom(...(["s", "m", "h", "d"] as const));
/** With its rate as microtokens in so many ms. */
const limits = fc.oneof(
  fc.tuple(maxTokens, fc.integer({ min: 0, max: 1_000_000_000_000 })).map(([most, micro]) => {
    return { limit: perSecond(most, micro / MICRO), micro: BigInt(micro), ms: 1000n };
  }),
  fc.tuple(maxTokens, maxTokens, fc.integer({ min: 1, max: 1000 }), unit).map(([most, tokens, count, of]) => {
    const limit = refilledBy(most, `${tokens}/${count}${of}`);
    return { limit, micro: BigInt(tokens * MICRO), ms: BigInt(count * UNITS[of]) };
  }),
);
const timeUs = fc.integer({ min: 0, max: 10_000_000_000 });

describe("a bucket's level, refilled since its report", () => {
  it("a level is what was reported plus rate times elapsed, up to the capacity", () => {
    const plan = perSecond(100, 10);
    expect(refilledMicro(5_000_000, 1, plan)).toBe(5_000_000);
    expect(refilledMicro(5_000_000, 1001, plan)).toBe(15_000_000);
    expect(refilledMicro(5_000_000, 98_000, plan)).toBe(100_000_000);
    expect(refilledMicro(-20_000_000, 1001, plan)).toBe(-10_000_000);
  });

  it("a level is rounded down to a microtoken", () => {
    expect(refilledMicro(0, 2, perSecond(1, 0.000999))).toBe(0);
    expect(refilledMicro(0, 3, perSecond(1, 0.0005))).toBe(1);
    expect(refilledMicro(-1, 2, perSecond(1, 0.0005))).toBe(-1);
  });

  it("a level stays without a rate, and is cut to a smaller capacity", () => {
    expect(refilledMicro(7, 1_000_000, perSecond(1, 0))).toBe(7);
    expect(refilledMicro(90_000_000, 0, perSecond(50, 1))).toBe(50_000_000);
  });

  it("a level gains nothing by a clock that went back", () => {
    expect(refilledMicro(7, -4000, perSecond(1, 1))).toBe(7);
  });

  it.each([
    ["10/1s", 1, 10_000_000],
    ["600/1m", 60, 600_000_000],
    ["10/5m", 300, 10_000_000],
    ["10000/1d", 86_400, 10_000_000_000],
    ["1/1000d", 86_400_000, 1_000_000],
  ])("a refill of %s gives in %d s exactly what it says, and not a microtoken before", (refill, seconds, micro) => {
    const limit = refilledBy(9_000_000, refill);
    expect(refilledMicro(0, seconds * 1000 + 1, limit)).toBe(micro);
    expect(refilledMicro(0, seconds * 1000, limit)).toBeLessThan(micro);
    expect(tokensPerSecond(limit)).toBeCloseTo(micro / MICRO / seconds, 12);
  });

  it("a level is never above the edge's own, whatever clocks round and however late the report", () => {
    const story = fc.record({ spentUs: timeUs, reportUs: timeUs, delayUs: timeUs, waitUs: timeUs, offUs: fc.nat(999) });
    fc.assert(
      fc.property(limits, story, ({ limit, micro, ms }, { spentUs, reportUs, delayUs, waitUs, offUs }) => {
        const idleMs = Math.floor(reportUs / 1000);
        const arrivedUs = offUs + spentUs + reportUs + delayUs;
        const nowUs = arrivedUs + waitUs;
        const atMs = Math.max(0, Math.floor(arrivedUs / 1000) - idleMs);
        const level = refilledMicro(0, Math.floor(nowUs / 1000) - atMs, limit);
        // Both sides in microtokens, times the microseconds in the rate's time.
        const atEdge = micro * BigInt(reportUs + delayUs + waitUs);
        expect(BigInt(level) * ms * 1000n <= atEdge || level === 0).toBe(true);
        expect(level).toBeLessThanOrEqual(limit.maxTokens * MICRO);
      }),
      { numRuns: 500 },
    );
  });
});
