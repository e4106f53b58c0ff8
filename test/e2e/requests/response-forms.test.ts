// The form of the answers: what the policy's "response", "header" and "enforcement" make of them.
import { describe, expect, it } from "vitest";
import { CHALLENGE } from "../harness/answers.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf, type PolicyRest } from "../harness/policy.js";
import { UPSTREAM_BODY, UPSTREAM_LIMITS } from "../harness/upstream.js";

const policyWith = (rest: PolicyRest = {}) =>
  policyOf(
    [
      // Nothing comes back while a test runs, and yet there is a time to name: a token takes 1000 s.
      { name: "single", maxTokens: 1, tokenRefillRate: 0.001 },
      { name: "default", maxTokens: 100, tokenRefillRate: 0 },
    ],
    rest,
  );

const sluice = useInstallation({ policy: policyWith() });

/** A session that has spent its only token. */
async function exhausted(): Promise<string> {
  const { token } = await sluice().api.issue("single");
  await sluice().send({ token });
  return token;
}

describe("the form of the answers", () => {
  const limitHeaders = async (token: string, path = "/") => {
    const { headers } = await sluice().send({ token, path });
    return Object.fromEntries(Object.entries(headers).filter(([name]) => /ratelimit|retry-after/.test(name)));
  };

  it("an answer has the draft's headers by default", async () => {
    const { token } = await sluice().api.issue("default");
    expect(await limitHeaders(token)).toEqual({ "ratelimit-policy": '"default";q=100', ratelimit: '"default";r=99' });
  });

  it("an answer has the older headers under response.headers: x-ratelimit", async () => {
    await sluice().changePolicy(policyWith({ response: { headers: "x-ratelimit" } }));
    const { token } = await sluice().api.issue("default");
    expect(await limitHeaders(token)).toEqual({ "x-ratelimit-limit": "100", "x-ratelimit-remaining": "99" });
    const limited = await limitHeaders(await exhausted());
    expect(limited).toMatchObject({ "x-ratelimit-limit": "1", "x-ratelimit-remaining": "0" });
    expect(limited["x-ratelimit-reset"]).toMatch(/^(1000|9\d\d)$/);
    expect(limited["retry-after"]).toBe(limited["x-ratelimit-reset"]);
    expect(limited).not.toHaveProperty("ratelimit");
  });

  it("an answer has both kinds of headers under response.headers: both", async () => {
    await sluice().changePolicy(policyWith({ response: { headers: "both" } }));
    const { token } = await sluice().api.issue("default");
    expect(await limitHeaders(token)).toEqual({
      "ratelimit-policy": '"default";q=100',
      ratelimit: '"default";r=99',
      "x-ratelimit-limit": "100",
      "x-ratelimit-remaining": "99",
    });
  });

  it("an answer of a service that limits too has each header once, and from here", async () => {
    await sluice().changePolicy(policyWith());
    const { token } = await sluice().api.issue("default");
    expect(await limitHeaders(token, "/limits")).toEqual({
      ...UPSTREAM_LIMITS,
      "ratelimit-policy": '"default";q=100',
      ratelimit: '"default";r=99',
    });
  });

  it("an answer of a service that limits too stays as it is under upstreamHeaders: keep", async () => {
    await sluice().changePolicy(policyWith({ response: { headers: "both", upstreamHeaders: "keep" } }));
    const { token } = await sluice().api.issue("default");
    const { ratelimit, ...others } = UPSTREAM_LIMITS;
    expect(await limitHeaders(token, "/limits")).toEqual({ ...others, ratelimit: ratelimit.join(", ") });
    expect(await limitHeaders(token)).toMatchObject({ ratelimit: '"default";r=98', "x-ratelimit-remaining": "98" });
  });

  it("an answer has Retry-After alone under response.headers: none", async () => {
    await sluice().changePolicy(policyWith({ response: { headers: "none" } }));
    const { token } = await sluice().api.issue("default");
    expect(await limitHeaders(token)).toEqual({});
    expect(Object.keys(await limitHeaders(await exhausted()))).toEqual(["retry-after"]);
  });

  it("an answer is a problem document (RFC 9457) under response.body: problem", async () => {
    await sluice().changePolicy(policyWith({ response: { body: "problem" } }));
    const limited = await sluice().send({ token: await exhausted() });
    expect(limited.status).toBe(429);
    expect(limited.headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(limited.body)).toEqual({
      type: "about:blank",
      title: "Too Many Requests",
      status: 429,
      detail: "Rate limit exceeded for session",
      code: "RATE_LIMIT_EXCEEDED",
    });
    const missing = await sluice().send();
    expect(missing.headers["content-type"]).toBe("application/problem+json");
    expect(missing.headers["www-authenticate"]).toBe(CHALLENGE);
    expect(JSON.parse(missing.body)).toMatchObject({ status: 401, code: "MISSING_SESSION" });
  });

  it("an answer names the header in which the policy expects the token", async () => {
    await sluice().changePolicy(policyWith({ header: "x-api-session" }));
    const { token } = await sluice().api.issue("default");
    expect((await sluice().send({ headers: { "X-Api-Session": token } })).status).toBe(200);
    const missing = await sluice().send({ token });
    expect(missing.status).toBe(401);
    expect(missing.headers["www-authenticate"]).toBe('Session realm="sluice", header="x-api-session"');
  });

  it("an answer is the service's alone under enforcement: off", async () => {
    await sluice().changePolicy(policyWith({ enforcement: "off" }));
    const answer = await sluice().send();
    expect(answer).toMatchObject({ status: 200, body: UPSTREAM_BODY });
    expect(answer.headers).not.toHaveProperty("ratelimit");
  });
});
