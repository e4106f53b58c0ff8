// Two kinds of admin token: an issuer creates and reads, an operator does everything.
import { describe, expect, it } from "vitest";

import { adminName } from "../../../src/app/access/admin.js";
import { created, expectError, ISSUER_TOKEN, shown, startTestControlPlane } from "../../support/control-plane.js";

describe("an issuer's token", () => {
  it("an issuer's token creates sessions, shows them and lists them", async () => {
    const plane = await startTestControlPlane();
    const made = await plane.call("POST", "/v1/sessions", { userId: "u1", orgId: "o1" }, ISSUER_TOKEN);
    expect(made.status).toBe(201);
    const { id } = (made.body as { session: { id: string } }).session;
    expect((await plane.call("GET", `/v1/sessions/${id}`, undefined, ISSUER_TOKEN)).status).toBe(200);
    expect((await plane.call("GET", "/v1/sessions", undefined, ISSUER_TOKEN)).status).toBe(200);
  });

  it.each([
    ["revoke", "DELETE", "", undefined],
    ["change a plan", "PATCH", "", { plan: "metered" }],
    ["re-issue a token", "POST", "/token", undefined],
  ])("an issuer's token may not %s: it gets 403 and nothing changes", async (_what, method, path, body) => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    expectError(await plane.call(method, `/v1/sessions/${session.id}${path}`, body, ISSUER_TOKEN), "FORBIDDEN");
    expect(await shown(plane, session.id)).toEqual(session);
  });

  it("an issuer's token gets 403 for the audit log", async () => {
    const plane = await startTestControlPlane();
    expectError(await plane.call("GET", "/v1/audit", undefined, ISSUER_TOKEN), "FORBIDDEN");
  });

  it("an issuer's token gets 403 before the body is read", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    expectError(await plane.call("PATCH", `/v1/sessions/${session.id}`, "not json", ISSUER_TOKEN), "FORBIDDEN");
  });
});

describe("several tokens of a kind, as in a rotation", () => {
  it("every token of a rotation is accepted, and has its own name in the audit log", async () => {
    const tokens = ["the-first-operator-token", "the-second-operator-token"];
    const adminTokens = tokens.map((token) => ({ kind: "operator", token }) as const);
    const plane = await startTestControlPlane(undefined, { adminTokens });
    for (const token of tokens) {
      const made = await plane.call("POST", "/v1/sessions", { userId: "u1", orgId: "o1" }, token);
      const { id } = (made.body as { session: { id: string } }).session;
      expect((await plane.call("DELETE", `/v1/sessions/${id}`, undefined, token)).status).toBe(204);
    }
    const { body } = await plane.call("GET", "/v1/audit", undefined, tokens[0]);
    const actors = (body as { entries: { actor: string }[] }).entries.map(({ actor }) => actor);
    expect(actors).toEqual(adminTokens.map(adminName).reverse());
    expect(new Set(actors).size).toBe(2);
  });
});
