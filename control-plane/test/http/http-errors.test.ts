// Errors of the HTTP API: one form, whatever goes wrong.
import { describe, expect, it } from "vitest";

import { StoreUnwritable } from "../../src/app/ports/store-health.js";
import { UpdateConflict } from "../../src/app/ports/update-ports.js";
import { ADMIN_TOKEN, created, expectError, startTestControlPlane } from "../support/control-plane.js";
import { rawRequest } from "../support/raw-request.js";

describe("errors", () => {
  it.each([new StoreUnwritable("the disk is full"), new UpdateConflict("session")])(
    "a write that the store did not take is 503 with Retry-After, logged nowhere: %s",
    async (error) => {
      const plane = await startTestControlPlane();
      const { session } = await created(plane);
      plane.store.update = () => Promise.reject(error);
      const answer = await plane.call("DELETE", `/v1/sessions/${session.id}`);
      expectError(answer, "NOT_WRITTEN");
      expect(answer.headers.get("retry-after")).toBe("1");
      const acquire = await plane.acquire(session.id);
      expectError(acquire, "NOT_WRITTEN");
      expect(acquire.headers.get("retry-after")).toBe("1");
      expectError(await plane.report([[session.id, 1, 1, 1, 0]]), "NOT_WRITTEN");
      expect(plane.logged()).not.toContain("request-failed");
    },
  );

  it("an unknown route is 404", async () => {
    const plane = await startTestControlPlane();
    expectError(await plane.call("GET", "/nothing"), "ROUTE_NOT_FOUND");
    expectError(await plane.call("GET", "/v1/sessions/a/b"), "ROUTE_NOT_FOUND");
  });

  it.each(["{", " ", "'a'", '{"userId":"u1"} more', '{"__proto__":{"a":1}}'])(
    "a body %j is MALFORMED_JSON",
    async (body) => {
      const plane = await startTestControlPlane();
      expectError(await plane.call("POST", "/v1/sessions", body), "MALFORMED_JSON");
    },
  );

  it("a body that is not UTF-8 is MALFORMED_JSON, so that two users' names stay two", async () => {
    const plane = await startTestControlPlane();
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json; charset=iso-8859-1" };
    const body = Buffer.from('{"userId":"A\u00e9","orgId":"o1"}', "latin1");
    const response = await fetch(`${plane.url}/v1/sessions`, { method: "POST", headers, body });
    expectError({ status: response.status, body: await response.json() }, "MALFORMED_JSON");
    expect((await plane.call("POST", "/v1/sessions", { userId: "Aé", orgId: "o1" })).status).toBe(201);
  });

  it("an empty body counts as none: accepted where none is needed, 400 where one is", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const path = `/v1/sessions/${session.id}`;
    expect((await plane.call("POST", `${path}/token`, "")).status).toBe(200);
    expect((await plane.call("DELETE", path, "")).status).toBe(204);
    const said = "The body is wrong: expected an object with the fields";
    expect(expectError(await plane.call("PATCH", path, ""), "INVALID_REQUEST")).toBe(`${said} plan`);
    const creation = expectError(await plane.call("POST", "/v1/sessions", ""), "INVALID_REQUEST");
    expect(creation).toBe(`${said} userId, orgId, plan, metadata`);
  });

  it("a body that is too large is 413, whether its length is announced or not", async () => {
    const plane = await startTestControlPlane();
    const large = { userId: "u1", orgId: "o1", more: "x".repeat(16_384) };
    const said = expectError(await plane.call("POST", "/v1/sessions", large), "BODY_TOO_LARGE");
    expect(said).toBe("The body is larger than the 16384 bytes that this route takes");
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
    const body = new Blob([JSON.stringify(large)]).stream();
    const response = await fetch(`${plane.url}/v1/sessions`, { method: "POST", headers, body, duplex: "half" });
    expectError({ status: response.status, body: await response.json() }, "BODY_TOO_LARGE");
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "application/xml"])(
    "a body of type %s is 415",
    async (type) => {
      const plane = await startTestControlPlane();
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": type };
      const response = await fetch(`${plane.url}/v1/sessions`, { method: "POST", headers, body: "a=b" });
      expectError({ status: response.status, body: await response.json() }, "UNSUPPORTED_MEDIA_TYPE");
    },
  );

  it("a part of the path that is too long is 414", async () => {
    const plane = await startTestControlPlane();
    expectError(await plane.call("GET", `/v1/sessions/${"a".repeat(200)}`), "URL_TOO_LONG");
  });

  it("a path that cannot be decoded is 400", async () => {
    const plane = await startTestControlPlane();
    expectError(await plane.call("GET", "/v1/sessions/%zz"), "MALFORMED_REQUEST");
  });

  it("a failure inside is 500, and says nothing of what it was", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    plane.store.find = () => Promise.reject(new Error("page 17 is torn"));
    const answer = await plane.call("GET", `/v1/sessions/${session.id}`);
    expectError(answer, "INTERNAL");
    expect(answer.text).not.toContain("torn");
    expect(plane.logged()).toContain("page 17 is torn");
  });

  it("errors are counted by code", async () => {
    const plane = await startTestControlPlane();
    await plane.call("GET", "/nothing");
    await plane.call("POST", "/v1/sessions", "{");
    await plane.call("GET", `/v1/sessions/${"a".repeat(200)}`);
    await rawRequest(plane, "NONSENSE\r\n\r\n");
    const { text } = await plane.status("/metrics");
    for (const code of ["ROUTE_NOT_FOUND", "MALFORMED_JSON", "URL_TOO_LONG", "MALFORMED_REQUEST"]) {
      expect(text).toContain(`sluice_control_http_errors_total{code="${code}"} 1`);
    }
  });
});

describe("connections whose bytes are no request", () => {
  it("bytes that are no request get the one form of errors, and the connection is closed", async () => {
    const plane = await startTestControlPlane();
    expectError(await rawRequest(plane, "NONSENSE\r\n\r\n"), "MALFORMED_REQUEST");
  });

  it("headers that are too large get 431", async () => {
    const plane = await startTestControlPlane();
    const head = `GET /openapi.json HTTP/1.1\r\nhost: x\r\nx-large: ${"x".repeat(20_000)}\r\n\r\n`;
    const said = expectError(await rawRequest(plane, head), "HEADERS_TOO_LARGE");
    expect(said).toBe("The request's headers are larger than the 16384 bytes that this server takes");
  });
});
