// A bucket's level between two reports: exact, and never more than the edge itself would have refilled.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { refilledMicro } from "../../src/domain/level.js";

const limits = fc.record({
  maxTokens: fc.integer({ min: 1, max: 9_000_000 }),
  tokenRefillRate: fc.integer({ min: 0, max: 1_000_000_000_000 }).map((micro) => micro / 1_000_000),
  refill: fc.constant(null),
});
const timeUs = fc.integer({ min: 0, max: 10_000_000_000 });

describe("a bucket's level, refilled since its report", () => {
  it("a level is what was reported plus rate times elapsed, up to the capacity", () => {
    const plan = { maxTokens: 100, tokenRefillRate: 10, refill: null };
    expect(refilledMicro(5_000_000, 1, plan)).toBe(5_000_000);
    expect(refilledMicro(5_000_000, 1001, plan)).toBe(15_000_000);
    expect(refilledMicro(5_000_000, 98_000, plan)).toBe(100_000_000);
    expect(refilledMicro(-20_000_000, 1001, plan)).toBe(-10_000_000);
  });

  it("a level is rounded down to a microtoken", () => {
    expect(refilledMicro(0, 2, { maxTokens: 1, tokenRefillRate: 0.000999, refill: null })).toBe(0);
    expect(refilledMicro(0, 3, { maxTokens: 1, tokenRefillRate: 0.0005, refill: null })).toBe(1);
    expect(refilledMicro(-1, 2, { maxTokens: 1, tokenRefillRate: 0.0005, refill: null })).toBe(-1);
  });

  it("a level stays without a rate, and is cut to a smaller capacity", () => {
    expect(refilledMicro(7, 1_000_000, { maxTokens: 1, tokenRefillRate: 0, refill: null })).toBe(7);
    expect(refilledMicro(90_000_000, 0, { maxTokens: 50, tokenRefillRate: 1, refill: null })).toBe(50_000_000);
  });

  it("a level gains nothing by a clock that went back", () => {
    expect(refilledMicro(7, -4000, { maxTokens: 1, tokenRefillRate: 1, refill: null })).toBe(7);
  });

  it("a level is never above the edge's own, whatever clocks round and however late the report", () => {
    const story = fc.record({ spentUs: timeUs, reportUs: timeUs, delayUs: timeUs, waitUs: timeUs, offUs: fc.nat(999) });
    fc.assert(
      fc.property(limits, story, (plan, { spentUs, reportUs, delayUs, waitUs, offUs }) => {
        const idleMs = Math.floor(reportUs / 1000);
        const arrivedUs = offUs + spentUs + reportUs + delayUs;
        const nowUs = arrivedUs + waitUs;
        const atMs = Math.max(0, Math.floor(arrivedUs / 1000) - idleMs);
        const level = refilledMicro(0, Math.floor(nowUs / 1000) - atMs, plan);
        const ratePico = BigInt(Math.round(plan.tokenRefillRate * 1_000_000));
        const atEdgePico = ratePico * BigInt(reportUs + delayUs + waitUs);
        expect(BigInt(level) * 1_000_000n <= atEdgePico || level === 0).toBe(true);
        expect(level).toBeLessThanOrEqual(plan.maxTokens * 1_000_000);
      }),
      { numRuns: 500 },
    );
  });
});
