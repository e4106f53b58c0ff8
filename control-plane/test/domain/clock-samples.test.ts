// What another clock's answers say of it, held against random round trips, drift and settings.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { offsetOf, withSample } from "../../src/domain/clock-samples.js";
import type { ClockSamples } from "../../src/domain/clock-samples.js";

const ways = fc.array(fc.tuple(fc.nat({ max: 3000 }), fc.nat({ max: 3000 })), { minLength: 1, maxLength: 200 });

describe("the offset of another clock", () => {
  it("nothing is said before the first answer", () => {
    expect(offsetOf([])).toBeUndefined();
  });

  it("the other clock is known to half of the shortest round trip, and the drift since", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), ways, (offsetMs, trips) => {
        let samples: ClockSamples = [];
        let nowMs = 0;
        for (const [thereMs, backMs] of trips) {
          const sentMs = nowMs;
          const timeMs = Math.floor(sentMs + thereMs + offsetMs);
          nowMs += thereMs + backMs;
          samples = withSample(samples, { timeMs, sentMs, receivedMs: nowMs });
          nowMs += 1000;
        }
        const shortestMs = Math.min(...trips.slice(-64).map(([thereMs, backMs]) => thereMs + backMs));
        const sinceMs = nowMs * 0.001;
        expect(Math.abs((offsetOf(samples) ?? Infinity) - offsetMs)).toBeLessThanOrEqual(shortestMs / 2 + 2 + sinceMs);
      }),
    );
  });

  it("a clock that was set is told from a slow answer, and nothing from before it counts", () => {
    const before = withSample([], { timeMs: 1_000_000, sentMs: 0, receivedMs: 2 });
    const slow = withSample(before, { timeMs: 1_003_000, sentMs: 1000, receivedMs: 5000 });
    expect(offsetOf(slow)).toBeCloseTo(999_999, 0);
    const set = withSample(slow, { timeMs: 1_007_000, sentMs: 6000, receivedMs: 6002 });
    expect([set.length, Math.round(offsetOf(set) ?? 0)]).toEqual([1, 1_000_999]);
    const back = withSample(slow, { timeMs: 1_005_000, sentMs: 6000, receivedMs: 6002 });
    expect([back.length, Math.round(offsetOf(back) ?? 0)]).toEqual([1, 998_999]);
  });

  it("two clocks that drift apart by 1 ms a second are no clock that was set", () => {
    let samples: ClockSamples = [];
    for (let sentMs = 0; sentMs < 3_600_000; sentMs += 1000) {
      samples = withSample(samples, { timeMs: 5e8 + sentMs * 1.001, sentMs, receivedMs: sentMs });
    }
    expect(samples).toHaveLength(64);
    expect(Math.abs((offsetOf(samples) ?? 0) - (5e8 + 3600))).toBeLessThanOrEqual(65);
  });

  it("slow answers do not contradict a quick one from which the clock has drifted since", () => {
    let samples = withSample([], { timeMs: 5e8, sentMs: 0, receivedMs: 0 });
    for (let sentMs = 1000; sentMs <= 60_000; sentMs += 1000) {
      samples = withSample(samples, { timeMs: 5e8 + sentMs * 1.001, sentMs, receivedMs: sentMs + 40 });
    }
    expect(samples).toHaveLength(61);
  });
});
