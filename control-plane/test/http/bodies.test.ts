// Bodies and queries that could be read in two ways.
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hasRepeatedKey } from "../../src/http/bodies.js";
import { ADMIN_TOKEN, created, expectError, INSTANCE, KEYS, startTestControlPlane } from "../support/control-plane.js";
import type { TestControlPlane } from "../support/control-plane.js";
import { rawRequest } from "../support/raw-request.js";

const CREATION = '{"userId":"u1","orgId":"o1"}';

async function posted(plane: TestControlPlane, body: Buffer | string, encoding: string) {
  const headers = {
    authorization: `Bearer ${ADMIN_TOKEN}`,
    "content-type": "application/json",
    "content-encoding": encoding,
  };
  const response = await fetch(`${plane.url}/v1/sessions`, { method: "POST", headers, body });
  return { status: response.status, body: await response.json() };
}

describe("a body with a content-encoding", () => {
  it.each(["gzip", "br", "x-unknown"])("a body of the content-encoding %s is 415, and says why", async (encoding) => {
    const plane = await startTestControlPlane();
    const said = expectError(await posted(plane, gzipSync(CREATION), encoding), "UNSUPPORTED_MEDIA_TYPE");
    expect(said).toBe("The body must be sent as it is, without a content-encoding");
    expectError(await posted(plane, CREATION, encoding), "UNSUPPORTED_MEDIA_TYPE");
  });

  it("a body of the content-encoding identity is taken", async () => {
    const plane = await startTestControlPlane();
    expect((await posted(plane, CREATION, "Identity")).status).toBe(201);
  });
});

describe("a body that names a key twice", () => {
  it.each([
    ["at the top", '{"userId":"u1","orgId":"o1","userId":"u2"}'],
    ["with the same value", '{"userId":"u1","orgId":"o1","userId":"u1"}'],
    ["spelled with an escape", '{"userId":"u1","orgId":"o1","\\u0075serId":"u2"}'],
    ["further inside", '{"userId":"u1","orgId":"o1","metadata":{"ip":"::1","ip":"::2"}}'],
  ])("a creation that names a key twice %s is 400, and no session is made", async (_where, body) => {
    const plane = await startTestControlPlane();
    const said = expectError(await plane.call("POST", "/v1/sessions", body), "MALFORMED_JSON");
    expect(said).toBe("The body names a key of an object twice");
    expect((await plane.call("GET", "/v1/sessions")).body).toMatchObject({ sessions: [] });
  });

  it("an edge's body that names a key twice is 400 too", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const body = `{"edge":"gw-1","edge":"gw-2","instance":"${INSTANCE}","session":"${session.id}"}`;
    expectError(await plane.call("POST", "/edge/v1/acquire", body, KEYS.edgeCredential), "MALFORMED_JSON");
  });

  it("a value may hold colons, quotes, braces and the names of keys", async () => {
    const plane = await startTestControlPlane();
    const fields = { userId: '":"userId":"', orgId: "\\", metadata: { route: '{"a":1,"a":2}\\"', userAgent: "a:b" } };
    expect((await created(plane, fields)).session).toMatchObject({ userId: fields.userId, orgId: fields.orgId });
  });

  it("a body that nests as deep as it is long is 400", async () => {
    const plane = await startTestControlPlane();
    const depth = 8_000;
    const body = `{"userId":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    expectError(await plane.call("POST", "/v1/sessions", body), "INVALID_REQUEST", "orgId");
  });

  it("JSON as JSON.stringify makes it never counts as naming a key twice", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => !hasRepeatedKey(JSON.stringify(value), value)));
  });

  it("JSON with one more key that is there already always counts as naming it twice", () => {
    const objects = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1, noNullPrototype: true });
    fc.assert(
      fc.property(objects, fc.nat(), fc.jsonValue(), (object, nth, again) => {
        const keys = Object.keys(object);
        const key = keys[nth % keys.length] ?? "";
        fc.pre(key !== "__proto__");
        const text = `${JSON.stringify(object).slice(0, -1)},${JSON.stringify(key)}:${JSON.stringify(again)}}`;
        expect(hasRepeatedKey(text, JSON.parse(text))).toBe(true);
      }),
    );
  });
});

describe("a query that is not UTF-8", () => {
  it.each(["%ff", "%C3", "%zz", "%", "%ED%A0%80", "A%C0%AF", "a?%ff"])("a list by userId=%s is 400", async (value) => {
    const plane = await startTestControlPlane();
    const said = expectError(await plane.call("GET", `/v1/sessions?userId=${value}`), "INVALID_REQUEST");
    expect(said).toBe("The query must be UTF-8, percent-encoded");
  });

  it("a query of bytes that are not percent-encoded is 400", async () => {
    const plane = await startTestControlPlane();
    const head = `GET /v1/sessions?userId=A\u00e9 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ADMIN_TOKEN}\r\n`;
    const bytes = Buffer.from(`${head}connection: close\r\n\r\n`, "latin1");
    expect((await rawRequest(plane, bytes)).status).toBe(400);
  });

  it("a query of any name in UTF-8 finds that user's sessions", async () => {
    const plane = await startTestControlPlane();
    const userId = "Aé 𝕏+%?&=";
    const { session } = await created(plane, { userId });
    const listed = await plane.call("GET", `/v1/sessions?userId=${encodeURIComponent(userId)}`);
    expect(listed.body).toMatchObject({ sessions: [{ id: session.id }] });
  });

  it("a query that names a field twice is 400", async () => {
    const plane = await startTestControlPlane();
    expectError(await plane.call("GET", "/v1/sessions?limit=1&limit=2"), "INVALID_REQUEST", "limit");
  });
});
