// Session creation: what an operator's program gets for a new session, and what its client can do with it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClientHttp2Session } from "node:http2";
import { until } from "../../../control-plane/test/support/until.js";
import { drive, times } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { linesOf } from "../harness/log-lines.js";
import { policyOf } from "../harness/policy.js";

const sluice = useInstallation({
  policy: policyOf([
    { name: "default", maxTokens: 10, tokenRefillRate: 0 },
    { name: "gold", maxTokens: 500, tokenRefillRate: 0 },
  ]),
});

describe("session creation", () => {
  it("creating a session answers 201 with a token that is good at once", async () => {
    const request = {
      userId: "ann",
      orgId: "acme",
      metadata: { userAgent: "app/1", ip: "192.0.2.7", route: "/login" },
    };
    const { status, body } = await sluice().api.call("POST", "/v1/sessions", request);
    expect(status).toBe(201);
    const { session, token } = body as { session: { createdAt: number }; token: string };
    expect(session).toMatchObject({
      userId: "ann",
      orgId: "acme",
      plan: "default",
      lastActivity: session.createdAt,
      tokens: { issued: 10, consumed: 0, budget: null },
      metadata: { userAgent: "app/1", ip: "192.0.2.7", route: "/login" },
    });
    const answer = await sluice().send({ token });
    expect(answer.status).toBe(200);
    expect(answer.headers.ratelimit).toBe('"default";r=9');
  });

  it("a token is shown once: the session can be looked up, its token not", async () => {
    const { id, token } = await sluice().api.issue();
    const { status, body } = await sluice().api.call("GET", `/v1/sessions/${id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ session: { id, userId: "u1", orgId: "o1" } });
    expect(JSON.stringify(body)).not.toContain(token);
  });

  it("a new session has the limits of the plan that was named", async () => {
    const { token } = await sluice().api.issue("gold");
    const { headers } = await sluice().send({ token });
    expect(headers["ratelimit-policy"]).toBe('"gold";q=500');
    expect(headers.ratelimit).toBe('"gold";r=499');
  });

  it("creating a session fails for an unknown plan and without the admin token", async () => {
    const unknownPlan = await sluice().api.call("POST", "/v1/sessions", { userId: "u1", orgId: "o1", plan: "lead" });
    expect(unknownPlan).toMatchObject({ status: 400, body: { error: { code: "UNKNOWN_PLAN", field: "plan" } } });
    const answer = await fetch(`http://127.0.0.1:${sluice().ports.http}/v1/sessions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ userId: "u1", orgId: "o1" }),
    });
    expect(answer.status).toBe(401);
  });

  it("the log says who has a new session", async () => {
    const { id } = await sluice().api.issue();
    await until(() => {
      const created = linesOf(sluice().controlPlane, "session-created");
      expect(created).toContainEqual(expect.objectContaining({ sessionId: id, userId: "u1", orgId: "o1" }));
    });
  });
});

describe("the first requests of a new session", () => {
  let connections: ClientHttp2Session[] = [];
  beforeAll(async () => {
    connections = await sluice().connect(8);
  });
  afterAll(() => {
    for (const session of connections) session.close();
  });

  it("the first requests of a new session share one bucket, also on two workers", async () => {
    const sessions = await Promise.all(Array.from({ length: 30 }, () => sluice().api.issue()));
    for (const { token } of sessions) {
      const load = await drive({ connections, inFlight: 4, next: times(32, { "x-session-id": token }) });
      expect(load.failures).toEqual([]);
      expect(load.statuses).toEqual({ 200: 10, 429: 22 });
    }
  });
});
