// Several admin tokens of a kind: each is accepted, and each has its name.
import { describe, expect, it } from "vitest";

import { adminName } from "../../../src/app/access/admin.js";
import { startTestControlPlane } from "../../support/control-plane.js";

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
