// Consumption patterns: steady clients, bursts, and clients beside each other.
import { describe, expect, it } from "vitest";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../../control-plane/test/support/until.js";
import { DecisionTimes } from "../harness/decision-times.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const STEADY_RATE = 7.000001;
const US_PER_S = 1e6;

const sluice = useInstallation({
  policy: policyOf([
    { name: "default", maxTokens: 5, tokenRefillRate: 0 },
    { name: "steady", maxTokens: 1, tokenRefillRate: STEADY_RATE },
    { name: "bursty", maxTokens: 8, tokenRefillRate: 4 },
  ]),
});

describe("consumption patterns", () => {
  it("a client that keeps to its rate is never denied, with no reserve at all", async () => {
    const { token } = await sluice().api.issue("steady");
    const intervalMs = Math.ceil(US_PER_S / STEADY_RATE) / 1000;
    const statuses: number[] = [];
    // From one answer to the next sending: so the decisions themselves lie at least as far apart.
    for (let answeredMs = -Infinity; statuses.length < 15; answeredMs = performance.now()) {
      while (performance.now() - answeredMs < intervalMs) await delay(1);
      statuses.push((await sluice().send({ token })).status);
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it("a burst of the whole bucket is admitted, then what refilled, burst after burst", async () => {
    const { token } = await sluice().api.issue("bursty");
    const times = new DecisionTimes();
    let admitted = 0;
    for (let round = 0; round < 3; round++) {
      for (let status = 200; status === 200;) {
        const sentMs = performance.now();
        ({ status } = await sluice().send({ token }));
        times.add({ sentMs, answeredMs: performance.now() });
        if (status === 200) admitted++;
      }
      await until(async () => {
        expect((await sluice().send({ token })).status).toBe(200);
      });
      admitted++;
    }
    expect(admitted).toBeGreaterThanOrEqual(8 + 3);
    // The last wait ended with one more, after the last time that was noted.
    expect(admitted - 1).toBeLessThanOrEqual(8 + 4 * times.elapsedAtMostS);
  });

  it("a session cannot spend another's tokens", async () => {
    const [one, other] = [await sluice().api.issue(), await sluice().api.issue()];
    expect(await sluice().statuses(one.token, 7)).toEqual([200, 200, 200, 200, 200, 429, 429]);
    expect(await sluice().statuses(other.token, 3)).toEqual([200, 200, 200]);
    expect(await sluice().statuses(one.token, 1)).toEqual([429]);
    expect(await sluice().statuses(other.token, 3)).toEqual([200, 200, 429]);
  });

  it("a request counts the same whatever its method, path and body", async () => {
    const { token } = await sluice().api.issue();
    const requests = [
      { method: "GET", path: "/a" },
      { method: "POST", path: "/b?c=d", body: "some text" },
      { method: "DELETE", path: "/e" },
      { method: "OPTIONS", path: "/f" },
    ];
    const left: unknown[] = [];
    for (const request of requests) left.push((await sluice().send({ token, ...request })).headers.ratelimit);
    expect(left).toEqual(['"default";r=4', '"default";r=3', '"default";r=2', '"default";r=1']);
  });
});
