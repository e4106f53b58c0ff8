// Idempotency-Keys: each belongs to the credential that used it, and outlives the credential's token.
import { describe, expect, it } from "vitest";

import { issueSession } from "../../../src/app/sessions/issue-session.js";
import { consumeTokens } from "../../../src/app/sessions/consume-tokens.js";
import { ADMIN_TOKEN, created, expectError, ISSUER_TOKEN, startTestControlPlane } from "../../support/control-plane.js";
import type { Answer, Created, TestControlPlane } from "../../support/control-plane.js";

const FIELDS = { userId: "u1", orgId: "o1", metadata: {} };

const create = (plane: TestControlPlane, token: string, fields: object = FIELDS): Promise<Answer> =>
  plane.call("POST", "/v1/sessions", fields, token, { "idempotency-key": "k-1" });

const consume = (plane: TestControlPlane, id: string, token: string): Promise<Answer> =>
  plane.call("POST", `/v1/sessions/${id}/consume`, { count: 10 }, token, { "idempotency-key": "job-1" });

const idOf = (answer: Answer): string => (answer.body as Created).session.id;

describe("a key that two credentials use", () => {
  it("an issuer that uses an operator's key gets a session and a token of its own", async () => {
    const plane = await startTestControlPlane();
    const [operators, issuers] = [await create(plane, ADMIN_TOKEN), await create(plane, ISSUER_TOKEN)];
    expect([operators.status, issuers.status]).toEqual([201, 201]);
    expect(idOf(issuers)).not.toBe(idOf(operators));
    expect(issuers.headers.get("idempotent-replayed")).toBeNull();
    expect(idOf(await create(plane, ADMIN_TOKEN))).toBe(idOf(operators));
    expect(idOf(await create(plane, ISSUER_TOKEN))).toBe(idOf(issuers));
  });

  it("an issuer does not learn from a 422 that an operator has used its key", async () => {
    const plane = await startTestControlPlane();
    await create(plane, ADMIN_TOKEN);
    expect((await create(plane, ISSUER_TOKEN, { ...FIELDS, userId: "u2" })).status).toBe(201);
    expectError(await create(plane, ISSUER_TOKEN), "IDEMPOTENCY_KEY_REUSED", "idempotency-key");
  });
});

describe("a key and a rotation of the token", () => {
  it.each(["issuer", "operator"] as const)(
    "a creation repeated with an %s's new token makes no second session",
    async (kind) => {
      const [old, fresh] = ["the-token-of-before", "the-token-from-now-on"];
      const adminTokens = [old, fresh].map((token) => ({ kind, token }));
      const plane = await startTestControlPlane(undefined, { adminTokens });
      const first = await create(plane, old);
      const again = await create(plane, fresh);
      expect(again.body).toEqual(first.body);
      expect(again.headers.get("idempotent-replayed")).toBe("true");
    },
  );

  it("a consumption repeated with an operator's new token takes nothing more", async () => {
    const [old, fresh] = ["the-token-of-before", "the-token-from-now-on"];
    const adminTokens = [old, fresh].map((token) => ({ kind: "operator", token }) as const);
    const plane = await startTestControlPlane(undefined, { adminTokens });
    const made = await plane.call("POST", "/v1/sessions", { ...FIELDS, plan: "metered" }, old);
    const id = (made.body as Created).session.id;
    const first = await consume(plane, id, old);
    const again = await consume(plane, id, fresh);
    expect([again.body, again.headers.get("idempotent-replayed")]).toEqual([first.body, "true"]);
  });
});

describe("a key that was stored before keys had owners", () => {
  const before = (plane: TestControlPlane) =>
    issueSession(plane.ports, { ...FIELDS, issuer: "other", plan: undefined }, "k-1");

  it("a creation of before is repeated by an operator that says the same", async () => {
    const plane = await startTestControlPlane();
    const made = await before(plane);
    const again = await create(plane, ADMIN_TOKEN);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(made).toMatchObject({ outcome: "issued", session: { id: idOf(again) } });
  });

  it("an issuer that uses a key of before gets a session of its own, and no other's token", async () => {
    const plane = await startTestControlPlane();
    const made = await before(plane);
    const fresh = await create(plane, ISSUER_TOKEN);
    expect(fresh.headers.get("idempotent-replayed")).toBeNull();
    expect(made).not.toMatchObject({ session: { id: idOf(fresh) } });
  });

  it("a consumption of before is repeated and takes nothing more", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane, { plan: "metered" });
    await consumeTokens(plane.ports, session.id, 10, "job-1");
    const again = await consume(plane, session.id, ADMIN_TOKEN);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(again.body).toMatchObject({ consumed: 10 });
  });
});
