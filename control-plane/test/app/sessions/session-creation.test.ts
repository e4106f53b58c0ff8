// Session creation: what a login service gets from POST /v1/sessions, and which requests are 400.
import { describe, expect, it } from "vitest";

import { adminName } from "../../../src/app/access/admin.js";
import { verifyToken } from "../../support/verify-token.js";
import { ADMIN_TOKEN, created, expectError, KEYS, shown, startTestControlPlane } from "../../support/control-plane.js";
import { HOUR_MS, METERED, STARTER } from "../../support/sessions.js";

const FIELDS = { userId: "u1", orgId: "o1" };

describe("session creation", () => {
  it("a creation is answered with 201, the session and its token", async () => {
    const plane = await startTestControlPlane();
    const metadata = { userAgent: "curl/8", ip: "2001:db8::1", route: "/login" };
    const { session, token } = await created(plane, { ...FIELDS, metadata });
    const now = plane.clock.nowMs();
    expect(session).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      userId: "u1",
      orgId: "o1",
      issuer: adminName({ kind: "operator", token: ADMIN_TOKEN }),
      plan: "starter",
      state: "live",
      createdAt: now,
      endsAt: now + HOUR_MS,
      lastActivity: now,
      tokens: { issued: STARTER.maxTokens, consumed: 0, budget: null },
      metadata,
      revokedAt: null,
    });
    expect(verifyToken(token, [KEYS])).toEqual({ sessionId: session.id, planId: STARTER.id });
  });

  it("a created session is shown afterwards without its token", async () => {
    const plane = await startTestControlPlane();
    const { session, token } = await created(plane);
    const answer = await plane.call("GET", `/v1/sessions/${session.id}`);
    expect(answer.body).toEqual({ session });
    expect(answer.text).not.toContain(token);
  });

  it("a created session has the plan that was named, with its budget as tokens issued", async () => {
    const plane = await startTestControlPlane();
    const { session, token } = await created(plane, { plan: "metered" });
    expect(session).toMatchObject({ plan: "metered", tokens: { issued: 5000, consumed: 0, budget: 5000 } });
    expect(verifyToken(token, [KEYS])?.planId).toBe(METERED.id);
  });

  it("metadata that was not given is null", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane, { metadata: { route: "/a" } });
    expect(session.metadata).toEqual({ userAgent: null, ip: null, route: "/a" });
    expect((await created(plane)).session.metadata).toEqual({ userAgent: null, ip: null, route: null });
  });

  it("200 creations at once give 200 ids", async () => {
    const plane = await startTestControlPlane();
    const all = await Promise.all(Array.from({ length: 200 }, () => created(plane)));
    expect(new Set(all.map(({ session }) => session.id)).size).toBe(200);
    expect(new Set(all.map(({ token }) => token)).size).toBe(200);
  });

  it("a creation that cannot be stored gives no 201 and no token", async () => {
    const plane = await startTestControlPlane();
    plane.ports.store.update = () => Promise.reject(new Error("the disk is full"));
    expectError(await plane.call("POST", "/v1/sessions", FIELDS), "INTERNAL");
    expect(plane.logged()).toContain("the disk is full");
    expect(plane.logged()).not.toContain("session-created");
  });

  it("a creation has one line in the log, with the ids and nothing of the token", async () => {
    const plane = await startTestControlPlane();
    const { session, token } = await created(plane);
    const lines = plane
      .logged()
      .split("\n")
      .filter((line) => line.includes("session-created"));
    expect(lines).toHaveLength(1);
    const line: unknown = JSON.parse(lines[0] ?? "");
    expect(line).toMatchObject({ event: "session-created", sessionId: session.id, userId: "u1", orgId: "o1" });
    expect(plane.logged()).not.toContain(token);
  });

  it("a creation gets 503 while no policy is loaded", async () => {
    const plane = await startTestControlPlane();
    plane.setPlans();
    expectError(await plane.call("POST", "/v1/sessions", FIELDS), "NO_POLICY");
  });

  it("a creation in a plan that the policy lacks is 400 and names the plans", async () => {
    const plane = await startTestControlPlane();
    const said = expectError(
      await plane.call("POST", "/v1/sessions", { ...FIELDS, plan: "gold" }),
      "UNKNOWN_PLAN",
      "plan",
    );
    expect(said).toBe("plan is unknown: expected one of starter, metered");
  });
});

describe("a creation that is not as expected", () => {
  const text = "a string of 1 to 128 characters, none of them a control character";
  const wrong: [what: string, body: unknown, field: string | undefined, message: string][] = [
    ["no userId", { orgId: "o1" }, "userId", `userId is missing: expected ${text}`],
    ["no orgId", { userId: "u1" }, "orgId", `orgId is missing: expected ${text}`],
    ["an empty userId", { ...FIELDS, userId: "" }, "userId", `userId is wrong: expected ${text}`],
    ["a number for a string", { ...FIELDS, userId: 7 }, "userId", `userId is wrong: expected ${text}`],
    ["null for a string", { ...FIELDS, orgId: null }, "orgId", `orgId is wrong: expected ${text}`],
    [
      "a userId that is too long",
      { ...FIELDS, userId: "x".repeat(129) },
      "userId",
      `userId is wrong: expected ${text}`,
    ],
    ["a line feed", { ...FIELDS, userId: "a\nb" }, "userId", `userId is wrong: expected ${text}`],
    ["a zero character", { ...FIELDS, orgId: "a\0" }, "orgId", `orgId is wrong: expected ${text}`],
    ["half a surrogate pair", { ...FIELDS, userId: "\ud800" }, "userId", `userId is wrong: expected ${text}`],
    [
      "an unknown field",
      { ...FIELDS, admin: true },
      "admin",
      "admin is unknown: expected one of userId, orgId, plan, metadata",
    ],
    [
      "an unknown field in the metadata",
      { ...FIELDS, metadata: { ipp: "::1" } },
      "metadata.ipp",
      "metadata.ipp is unknown: expected one of userAgent, ip, route",
    ],
    [
      "an ip that is none",
      { ...FIELDS, metadata: { ip: "1.2.3" } },
      "metadata.ip",
      "metadata.ip is wrong: expected an IPv4 or IPv6 address",
    ],
    [
      "a user agent that is too long",
      { ...FIELDS, metadata: { userAgent: "x".repeat(1025) } },
      "metadata.userAgent",
      "metadata.userAgent is wrong: expected a string of 0 to 1024 characters, none of them a control character",
    ],
    [
      "metadata that is a list",
      { ...FIELDS, metadata: [] },
      "metadata",
      "metadata is wrong: expected an object with the fields userAgent, ip, route",
    ],
    [
      "a plan's name in capitals",
      { ...FIELDS, plan: "Gold" },
      "plan",
      "plan is wrong: expected a plan's name, 1 to 32 of a-z, 0-9 and -; if absent, the policy's first plan",
    ],
    [
      "a body that is a list",
      [FIELDS],
      undefined,
      "The body is wrong: expected an object with the fields userId, orgId, plan, metadata",
    ],
    [
      "no body",
      undefined,
      undefined,
      "The body is wrong: expected an object with the fields userId, orgId, plan, metadata",
    ],
  ];

  it.each(wrong)(
    "a creation with %s is 400 with the field and what was expected",
    async (_what, body, field, message) => {
      const plane = await startTestControlPlane();
      const answer = await plane.call("POST", "/v1/sessions", body);
      expect(expectError(answer, "INVALID_REQUEST", field)).toBe(message);
    },
  );

  it("a creation may have the longest strings there are, in any script", async () => {
    const plane = await startTestControlPlane();
    const userId = "𝒳".repeat(128);
    const userAgent = "ü".repeat(1024);
    const { session } = await created(plane, { userId, metadata: { userAgent } });
    expect(await shown(plane, session.id)).toMatchObject({ userId, metadata: { userAgent } });
  });
});
