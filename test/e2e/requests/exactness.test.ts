// Rate limiting under concurrent access: through both of Envoy's workers, never a token too many, never one too few.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClientHttp2Session } from "node:http2";
import { useInstallation } from "../harness/installation.js";
import { drive, times } from "../harness/http2-load.js";
import { policyOf } from "../harness/policy.js";

const CONNECTIONS = 8;
const RATE = 50;
/** So many that some are above the limit, also where 4 s are few requests. */
const REQUESTS_AT_LEAST = 5000;

const sluice = useInstallation({
  policy: policyOf([
    { name: "fixed", maxTokens: 1000, tokenRefillRate: 0 },
    { name: "refilled", maxTokens: 1000, tokenRefillRate: RATE },
  ]),
});

let connections: ClientHttp2Session[] = [];
beforeAll(async () => {
  connections = await sluice().connect(CONNECTIONS);
});
afterAll(() => {
  for (const session of connections) session.close();
});

describe("rate limiting under concurrent access", () => {
  it("exactly 1000 of 20000 requests pass where maxTokens is 1000 without refill", async () => {
    const { token } = await sluice().api.issue("fixed");
    const reachedBefore = sluice().upstream.received.length;
    const load = await drive({ connections, inFlight: 16, next: times(20_000, { "x-session-id": token }) });
    expect(load.failures).toEqual([]);
    expect(load.statuses).toEqual({ 200: 1000, 429: 19_000 });
    expect(sluice().upstream.received.length - reachedBefore).toBe(1000);
  });

  it("each session spends its own tokens among many clients (token consumption)", async () => {
    const sessions = await Promise.all(Array.from({ length: 4 }, () => sluice().api.issue("fixed")));
    const loads = sessions.map(({ token }) =>
      drive({ connections, inFlight: 4, next: times(1500, { "x-session-id": token }) }),
    );
    for (const { failures, statuses } of await Promise.all(loads)) {
      expect(failures).toEqual([]);
      expect(statuses).toEqual({ 200: 1000, 429: 500 });
    }
  });

  it("the bucket and its refill are admitted over several seconds, and no more", async () => {
    const { token } = await sluice().api.issue("refilled");
    const endMs = performance.now() + 4000;
    let sent = 0;
    const next = () => (sent++ < REQUESTS_AT_LEAST || performance.now() < endMs ? { "x-session-id": token } : null);
    const load = await drive({ connections, inFlight: 4, next });
    expect(load.failures).toEqual([]);
    const { 200: admitted = 0, 429: limited = 0, ...others } = load.statuses;
    expect(others).toEqual({});
    expect(limited).toBeGreaterThan(0);
    // Full at the first decision, refilled until the last; what is left over is less than a token and what came
    // between two attempts. The clock of the test is not Envoy's: DecisionTimes says on which side each bound errs.
    const { elapsedAtMostS, elapsedAtLeastS, longestGapAtMostS } = load.times;
    expect(admitted).toBeLessThanOrEqual(1000 + RATE * elapsedAtMostS);
    expect(admitted).toBeGreaterThanOrEqual(1000 + RATE * elapsedAtLeastS - (1 + RATE * longestGapAtMostS));
  });
});
