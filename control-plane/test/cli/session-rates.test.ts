// The rates that `sluice top` shows, from reads of a list that grows as edges report.
import { describe, expect, it } from "vitest";

import { SessionRates } from "../../src/cli/commands/session-rates.js";
import type { Session } from "../../src/cli/client/answers.js";

const T0 = 1_767_225_600_000;
const ID = "019b76da-a800-7000-8000-000000000000";

interface Load {
  /** Tokens a second. */
  readonly rate: number;
  /** Of its first report. */
  readonly phaseMs: number;
  /** Of the n-th report, how much it is late. */
  readonly lateMs?: (nth: number) => number;
}

interface World {
  readonly intervalMs: number;
  readonly edges: readonly Load[];
  /** No request comes from then on. */
  readonly endMs?: number;
}

/** What the list shows of the session so many ms after its first request. */
function sessionAt(atMs: number, { intervalMs, edges, endMs = Infinity }: World): Session {
  let consumed = 0;
  let lastActivity = T0;
  for (const { rate, phaseMs, lateMs = () => 0 } of edges) {
    let reportedMs = 0;
    for (let nth = 0; ; nth++) {
      const at = phaseMs + nth * intervalMs + lateMs(nth);
      if (at > atMs) break;
      reportedMs = Math.min(at, endMs);
    }
    // A request each 1/rate seconds, of one token.
    const requests = Math.floor((reportedMs * rate) / 1000);
    consumed += requests;
    if (requests > 0) lastActivity = Math.max(lastActivity, T0 + (requests / rate) * 1000);
  }
  return { id: ID, createdAt: T0, lastActivity, tokens: { issued: 100, consumed, budget: null } } as Session;
}

/** The rates on the screen, a read each second or so. */
function shown(world: World, seconds: number, readEveryMs = 1000): number[] {
  const rates = new SessionRates();
  return Array.from({ length: Math.floor((seconds * 1000) / readEveryMs) }, (_, nth) => {
    const atMs = nth * readEveryMs;
    const reading = { sessions: [sessionAt(atMs, world)], more: false, reportIntervalMs: world.intervalMs, atMs };
    rates.add(reading);
    return rates.busiest(reading)[0]?.tokensPerSecond ?? NaN;
  });
}

const spread = (rates: readonly number[]): number => Math.max(...rates) - Math.min(...rates);

describe("a constant load", () => {
  it.each([1000, 730, 1300, 4999, 5001])(
    "a constant load at one edge shows a constant rate, read each %s ms",
    (readEveryMs) => {
      const rates = shown({ intervalMs: 5000, edges: [{ rate: 20, phaseMs: 1234 }] }, 300, readEveryMs);
      // From the second report on.
      for (const rate of rates.slice(Math.ceil(12_000 / readEveryMs) + 1)) expect(rate).toBeCloseTo(20, 5);
    },
  );

  it.each([300, 1000, 5000, 7000, 20_000])(
    "a load at three unequal edges does not wobble, with reports each %s ms",
    (intervalMs) => {
      const edges = [
        { rate: 50, phaseMs: 0.1 * intervalMs },
        { rate: 5, phaseMs: 0.4 * intervalMs },
        { rate: 20, phaseMs: 0.85 * intervalMs },
      ];
      const rates = shown({ intervalMs, edges }, 600).slice(100);
      expect(Math.abs((rates[0] ?? 0) - 75)).toBeLessThan(3);
      expect(spread(rates)).toBeLessThan(75 * 0.05);
    },
  );

  it("a constant rate wobbles by few percent where reports are late now and then", () => {
    const lateMs = (nth: number): number => (nth * 37) % 400;
    const edges = [
      { rate: 50, phaseMs: 700, lateMs },
      { rate: 10, phaseMs: 3000, lateMs },
    ];
    const rates = shown({ intervalMs: 5000, edges }, 300).slice(50);
    for (const rate of rates) expect(Math.abs(rate - 60)).toBeLessThan(4);
  });

  it("a rate is shown from its second report on, before the window is full", () => {
    const rates = shown({ intervalMs: 5000, edges: [{ rate: 20, phaseMs: 4000 }] }, 12);
    expect(rates[3]).toBe(0);
    for (const rate of rates.slice(9)) expect(rate).toBeCloseTo(20, 5);
  });
});

describe("a load that changes", () => {
  it("a session that stops falls to 0 within 40 s, and never below", () => {
    const rates = shown({ intervalMs: 5000, edges: [{ rate: 20, phaseMs: 1000 }], endMs: 60_000 }, 120);
    expect(rates[60]).toBeCloseTo(20, 5);
    for (const rate of rates) expect(rate).toBeGreaterThanOrEqual(0);
    expect(rates[102]).toBe(0);
  });

  it("a session that was idle for an hour shows its rate at its first report", () => {
    const rates = new SessionRates();
    const idle = { ...sessionAt(0, { intervalMs: 5000, edges: [] }), lastActivity: T0 - 3_600_000 };
    rates.add({ sessions: [idle], more: false, reportIntervalMs: 5000, atMs: 0 });
    const busy = { ...idle, lastActivity: T0 + 4900, tokens: { ...idle.tokens, consumed: 100 } };
    const reading = { sessions: [busy], more: false, reportIntervalMs: 5000, atMs: 5000 };
    rates.add(reading);
    expect(rates.busiest(reading)[0]?.tokensPerSecond).toBeCloseTo(100 / 30, 5);
  });

  it("tokens that only the API spent count, though no edge was active", () => {
    const rates = new SessionRates();
    const idle = sessionAt(0, { intervalMs: 5000, edges: [] });
    rates.add({ sessions: [idle], more: false, reportIntervalMs: undefined, atMs: 0 });
    const spent = { ...idle, tokens: { ...idle.tokens, consumed: 50 } };
    const reading = { sessions: [spent], more: false, reportIntervalMs: undefined, atMs: 5000 };
    rates.add(reading);
    expect(rates.busiest(reading)[0]?.tokensPerSecond).toBe(10);
  });
});
