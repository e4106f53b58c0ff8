// Token refill: what a session has spent comes back at its plan's rate, no sooner.
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { DecisionTimes } from "../harness/decision-times.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const RATE = 5;

const sluice = useInstallation({
  policy: policyOf([
    { name: "fast", maxTokens: 3, tokenRefillRate: RATE },
    { name: "slow", maxTokens: 2, tokenRefillRate: 0.01 },
    { name: "never", maxTokens: 2, tokenRefillRate: 0 },
  ]),
});

const admittedAgain = (token: string) =>
  until(async () => {
    expect((await sluice().send({ token })).status).toBe(200);
  });

describe("token refill", () => {
  it("an exhausted session is admitted again, over time at no more than its rate", async () => {
    const { token } = await sluice().api.issue("fast");
    const times = new DecisionTimes();
    let admitted = 0;
    while (admitted < 3 + 2 * RATE) {
      const sentMs = performance.now();
      const { status } = await sluice().send({ token });
      times.add({ sentMs, answeredMs: performance.now() });
      if (status === 200) admitted++;
    }
    expect(admitted).toBeLessThanOrEqual(3 + RATE * times.elapsedAtMostS);
  });

  it("an exhausted session sees how long until it is admitted again", async () => {
    const { token } = await sluice().api.issue("slow");
    const startMs = performance.now();
    expect(await sluice().statuses(token, 2)).toEqual([200, 200]);
    const limited = await sluice().send({ token });
    const elapsedAtMostS = (performance.now() - startMs) / 1000;
    expect(limited.status).toBe(429);
    expect(limited.headers["ratelimit-policy"]).toBe('"slow";q=2;w=200');
    // A token takes 100 s, of which a little has passed.
    const retryAfterS = Number(limited.headers["retry-after"]);
    expect(retryAfterS).toBeLessThanOrEqual(100);
    expect(retryAfterS).toBeGreaterThanOrEqual(100 - elapsedAtMostS);
    expect(limited.headers.ratelimit).toBe(`"slow";r=0;t=${retryAfterS}`);
  });

  it("a rate of 0 gives nothing back and promises nothing", async () => {
    const never = await sluice().api.issue("never");
    const fast = await sluice().api.issue("fast");
    expect(await sluice().statuses(never.token, 2)).toEqual([200, 200]);
    expect(await sluice().statuses(fast.token, 3)).toEqual([200, 200, 200]);
    // Long enough for another session's tokens to have come back.
    await admittedAgain(fast.token);
    const limited = await sluice().send({ token: never.token });
    expect(limited.status).toBe(429);
    expect(limited.headers).not.toHaveProperty("retry-after");
    expect(limited.headers["ratelimit-policy"]).toBe('"never";q=2');
    expect(limited.headers.ratelimit).toBe('"never";r=0');
  });
});
