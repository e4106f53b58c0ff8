// Bucket overflow: however long a session rests, it never has more than its plan's maxTokens.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClientHttp2Session } from "node:http2";
import { useInstallation } from "../harness/installation.js";
import { drive, times } from "../harness/http2-load.js";
import { policyOf } from "../harness/policy.js";

const MAX_TOKENS = 5;
const RATE = 20;

const sluice = useInstallation({
  policy: policyOf([
    { name: "default", maxTokens: MAX_TOKENS, tokenRefillRate: RATE },
    { name: "largest", maxTokens: 9_000_000, tokenRefillRate: 1_000_000 },
  ]),
});

let connections: ClientHttp2Session[] = [];
beforeAll(async () => {
  connections = await sluice().connect(4);
});
afterAll(() => {
  for (const session of connections) session.close();
});

const burst = (token: string, count: number) =>
  drive({ connections, inFlight: 10, next: times(count, { "x-session-id": token }) });

/** Passes the time that refills `tokens` tokens, with another session's bucket for a clock. */
async function passTimeOf(tokens: number): Promise<void> {
  const { token } = await sluice().api.issue();
  let admitted = 0;
  while (admitted < MAX_TOKENS + tokens) if ((await sluice().send({ token })).status === 200) admitted++;
}

describe("bucket overflow", () => {
  it("a burst after a long rest admits no more than maxTokens", async () => {
    const { token } = await sluice().api.issue();
    await burst(token, 20);
    await passTimeOf(6 * MAX_TOKENS);
    const { statuses, failures, times: when } = await burst(token, 40);
    expect(failures).toEqual([]);
    expect(statuses[200]).toBeGreaterThanOrEqual(MAX_TOKENS);
    expect(statuses[200]).toBeLessThanOrEqual(MAX_TOKENS + RATE * when.elapsedAtMostS);
  });

  it("a full bucket shows maxTokens, after a rest as on the first day", async () => {
    const { token } = await sluice().api.issue();
    const first = await sluice().send({ token });
    expect(first.headers.ratelimit).toBe('"default";r=4;t=1');
    await passTimeOf(2 * MAX_TOKENS);
    const rested = await sluice().send({ token });
    expect(rested.headers.ratelimit).toBe('"default";r=4;t=1');
  });

  it("the largest plan that a policy may have is served", async () => {
    const { token } = await sluice().api.issue("largest");
    const { statuses, failures } = await burst(token, 500);
    expect(failures).toEqual([]);
    expect(statuses).toEqual({ 200: 500 });
    const { headers } = await sluice().send({ token });
    expect(headers["ratelimit-policy"]).toBe('"largest";q=9000000;w=9');
    expect(headers.ratelimit).toMatch(/^"largest";r=8999999;t=1$/);
  });
});
