// Session expiration: a session ends when it is as old as its plan's lifetime, whatever it does.
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { INVALID } from "../harness/answers.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

/** A session is issued and used within it, also by a slow machine. */
const LIFETIME_MS = 5000;
/** The session table counts a session's end in whole seconds, rounded down. */
const ENDS_EARLY_AT_MOST_MS = 1000;

const sluice = useInstallation({
  policy: policyOf([
    { name: "brief", maxTokens: 9_000_000, tokenRefillRate: 0, lifetime: LIFETIME_MS },
    // So that no session is so old that the filter denies it without asking.
    { name: "lasting", maxTokens: 10, tokenRefillRate: 0 },
  ]),
});

const hasExpired = (id: string) =>
  until(async () => {
    const { body } = await sluice().api.call("GET", `/v1/sessions/${id}`);
    expect(body).toMatchObject({ session: { state: "expired" } });
  });

/** How often the control plane answered an edge that a session has expired. */
const answeredExpired = async () =>
  (await sluice().api.metrics()).get('sluice_control_acquires_total{outcome="expired"}') ?? 0;

describe("session expiration", () => {
  it("a busy session is served through its lifetime and denied from then on", async () => {
    const beforeMs = performance.now();
    const { id, token } = await sluice().api.issue("brief");
    expect((await sluice().send({ token })).status).toBe(200);
    const denied = await until(async () => {
      const answer = await sluice().send({ token });
      expect(answer.status).not.toBe(200);
      return answer;
    });
    expect(performance.now() - beforeMs).toBeGreaterThan(LIFETIME_MS - ENDS_EARLY_AT_MOST_MS);
    expect(denied).toMatchObject({ status: 401, body: INVALID });
    await hasExpired(id);
    expect(new Set(await sluice().statuses(token, 20))).toEqual(new Set([401]));
  });

  it("a session that no Envoy has seen before it expired is denied", async () => {
    const expiredBefore = await answeredExpired();
    const { id, token } = await sluice().api.issue("brief");
    await hasExpired(id);
    expect(await sluice().send({ token })).toMatchObject({ status: 401, body: INVALID });
    expect(await answeredExpired()).toBe(expiredBefore + 1);
  });

  it("an expired session is denied also when Envoy has lost its record", async () => {
    const lasting = await sluice().api.issue("lasting");
    const { id, token } = await sluice().api.issue("brief");
    expect((await sluice().send({ token })).status).toBe(200);
    await hasExpired(id);
    await sluice().envoy.killHard();
    await sluice().envoy.start();
    expect(await sluice().send({ token })).toMatchObject({ status: 401, body: INVALID });
    expect((await sluice().send({ token: lasting.token })).status).toBe(200);
  });
});
