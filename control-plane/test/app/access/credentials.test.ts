// Credentials: who may call what, and that no secret comes to light.
import { describe, expect, it } from "vitest";

import { bearerCheck, ofEdges } from "../../../src/app/access/credential.js";
import {
  ADMIN_TOKEN,
  created,
  expectError,
  INSTANCE,
  KEYS,
  KEYS_ALSO,
  shown,
  startTestControlPlane,
} from "../../support/control-plane.js";

const FIELDS = { userId: "u1", orgId: "o1" };

describe("credentials", () => {
  const wrong: [what: string, credential: string][] = [
    ["another token", "another-admin-token-for-tests"],
    ["a part of it", ADMIN_TOKEN.slice(0, -1)],
    ["more than it", `${ADMIN_TOKEN}x`],
    ["other case", ADMIN_TOKEN.toUpperCase()],
    ["the edges' credential", KEYS.edgeCredential],
    ["nothing", ""],
  ];
  it.each(wrong)("an admin route denies %s, and nothing changes", async (_what, credential) => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const revocation = await plane.call("DELETE", `/v1/sessions/${session.id}`, undefined, credential);
    expectError(revocation, "UNAUTHORIZED");
    expect(revocation.headers.get("www-authenticate")).toBe('Bearer realm="sluice"');
    expectError(await plane.call("GET", `/v1/sessions/${session.id}`, undefined, credential), "UNAUTHORIZED");
    expectError(await plane.call("POST", "/v1/sessions", FIELDS, credential), "UNAUTHORIZED");
    expect(await shown(plane, session.id)).toEqual(session);
    expect(await plane.store.countLive(0, 0)).toBe(1);
  });

  it("an admin route denies a request without the header, or of another scheme", async () => {
    const plane = await startTestControlPlane();
    for (const headers of [{}, { authorization: ADMIN_TOKEN }, { authorization: `Basic ${ADMIN_TOKEN}` }]) {
      const response = await fetch(`${plane.url}/v1/sessions`, { method: "POST", headers });
      expectError({ status: response.status, body: await response.json() }, "UNAUTHORIZED");
    }
  });

  it("a request without a valid token gets 401 before its body is read", async () => {
    const plane = await startTestControlPlane();
    expectError(await plane.call("POST", "/v1/sessions", "not json", "wrong"), "UNAUTHORIZED");
    expectError(await plane.call("POST", "/v1/sessions", "x".repeat(100_000), "wrong"), "UNAUTHORIZED");
  });

  it("an edge route takes the credential of either secret, and no other", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const body = { edge: "gw-1", instance: INSTANCE, session: session.id };
    const ask = (credential: string) => plane.call("POST", "/edge/v1/acquire", body, credential);
    expect((await ask(KEYS.edgeCredential)).status).toBe(200);
    expect((await ask(KEYS_ALSO.edgeCredential)).status).toBe(200);
    plane.clock.advance(1);
    expectError(await ask(ADMIN_TOKEN), "UNAUTHORIZED");
    expectError(await ask(""), "UNAUTHORIZED");
    expect((await shown(plane, session.id)).lastActivity).toBe(session.lastActivity);
  });

  it("the name of the scheme Bearer may be written in any case", () => {
    const check = bearerCheck(ofEdges(["one", "two"]));
    expect([check("Bearer one"), check("bearer  two"), check("BEARER one")]).toEqual(["edge", "edge", "edge"]);
    expect([check("Bearer one two"), check("Bearer"), check(undefined), check("Bearer ")].some(Boolean)).toBe(false);
  });

  it("a credential that is too long is denied, also where it begins with a valid one", () => {
    const longest = "x".repeat(508);
    const check = bearerCheck(ofEdges([longest]));
    expect(check(`Bearer ${longest}`)).toBe("edge");
    for (const more of [1, 2, 10_000]) expect(check(`Bearer ${longest}${"x".repeat(more)}`)).toBeUndefined();
    expect(() => bearerCheck(ofEdges([`${longest}x`]))).toThrow("too long");
  });

  it("an empty list of credentials admits nobody", () => {
    const check = bearerCheck([]);
    expect([check("Bearer x"), check(undefined), check("Bearer ")].some(Boolean)).toBe(false);
  });
});

describe("secrets stay out of the log", () => {
  it("no secret is in the log, not even one that a caller put into the path", async () => {
    const plane = await startTestControlPlane();
    const { session, token } = await created(plane);
    await plane.acquire(session.id);
    await plane.call("GET", `/v1/sessions/${token}`);
    await plane.call("GET", `/${token}?token=${token}`);
    await plane.call("POST", "/v1/sessions", { ...FIELDS, userId: 7, token });
    await plane.call("POST", "/v1/sessions", `{"token": "${token}`);
    plane.store.find = () => Promise.reject(new Error("broken"));
    await plane.call("GET", `/v1/sessions/${session.id}`);
    plane.ports.logger.info({ event: "t", headers: { authorization: `Bearer ${ADMIN_TOKEN}` }, token }, "by mistake");

    const logged = plane.logged();
    expect(logged).toContain("request failed");
    expect(logged).toContain("by mistake");
    for (const secret of [token, ADMIN_TOKEN, KEYS.edgeCredential]) expect(logged).not.toContain(secret);
  });

  it("every answer forbids caches to keep it", async () => {
    const plane = await startTestControlPlane();
    const answer = await plane.call("POST", "/v1/sessions", FIELDS);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });
});
