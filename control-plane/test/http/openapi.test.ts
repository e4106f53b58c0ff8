// The OpenAPI document says all that the API does.
import { describe, expect, it, vi } from "vitest";

import { ERRORS } from "../../src/http/errors.js";
import { startTestControlPlane } from "../support/control-plane.js";

interface Operation {
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, { description: string; content?: object }>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, ErrorSchema>> };
}
interface ErrorSchema {
  readonly properties: { readonly error: { readonly properties: { readonly code: { readonly enum: string[] } } } };
}

/** Those that no route gives: they arise before there is one. */
const BEFORE_ANY_ROUTE = [
  "MALFORMED_REQUEST",
  "EXPECTATION_FAILED",
  "ROUTE_NOT_FOUND",
  "METHOD_NOT_ALLOWED",
  "REQUEST_TIMEOUT",
  "HEADERS_TOO_LARGE",
];

async function document(): Promise<Document> {
  const plane = await startTestControlPlane();
  const answer = await plane.call("GET", "/openapi.json");
  expect(answer.status).toBe(200);
  return answer.body as Document;
}

describe("the OpenAPI document", () => {
  it("the OpenAPI document is made once, however often it is read", async () => {
    const plane = await startTestControlPlane();
    const written = vi.spyOn(plane.app, "swagger");
    const [first, second] = [await plane.call("GET", "/openapi.json"), await plane.call("GET", "/openapi.json")];
    expect([second.text, written.mock.calls.length]).toEqual([first.text, 1]);
  });

  it("the OpenAPI document names every route", async () => {
    const { openapi, paths } = await document();
    expect(openapi).toBe("3.1.0");
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((one) => `${one} ${path}`),
    );
    expect(routes.sort()).toEqual([
      "delete /v1/sessions",
      "delete /v1/sessions/{id}",
      "get /v1/audit",
      "get /v1/edges",
      "get /v1/policy/status",
      "get /v1/revocations/{id}",
      "get /v1/sessions",
      "get /v1/sessions/{id}",
      "get /v1/sessions/{id}/bucket",
      "get /v1/sessions/{id}/usage",
      "get /v1/status",
      "patch /v1/sessions/{id}",
      "post /edge/v1/acquire",
      "post /edge/v1/lease",
      "post /edge/v1/report",
      "post /edge/v1/watch",
      "post /v1/policy/confirm",
      "post /v1/sessions",
      "post /v1/sessions/{id}/consume",
      "post /v1/sessions/{id}/token",
    ]);
  });

  it("the OpenAPI document names every error code", async () => {
    const { components } = await document();
    expect(components.schemas.Error?.properties.error.properties.code.enum).toEqual(Object.keys(ERRORS));
  });

  it("the OpenAPI document names at each route the codes that it gives", async () => {
    const { paths } = await document();
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    const named = operations.flatMap(({ responses }) =>
      Object.entries(responses).flatMap(([status, { description }]) =>
        Object.entries(ERRORS)
          .filter(([code, error]) => description.split(", ").includes(code) && error.status === Number(status))
          .map(([code]) => code),
      ),
    );
    expect([...new Set([...named, ...BEFORE_ANY_ROUTE])].sort()).toEqual(Object.keys(ERRORS).sort());
  });

  it("the OpenAPI document says which credential each route needs", async () => {
    const { paths } = await document();
    const wanted = (path: string, method: string) => paths[path]?.[method]?.security;
    expect(wanted("/v1/sessions", "post")).toEqual([{ adminToken: [] }, { issuerToken: ["issue"] }]);
    expect(wanted("/v1/sessions/{id}", "get")).toEqual([{ adminToken: [] }, { issuerToken: ["read"] }]);
    expect(wanted("/v1/sessions/{id}", "delete")).toEqual([{ adminToken: [] }, { issuerToken: ["revoke"] }]);
    expect(wanted("/v1/edges", "get")).toEqual([{ adminToken: [] }]);
    expect(wanted("/v1/audit", "get")).toEqual([{ adminToken: [] }]);
    expect(wanted("/edge/v1/acquire", "post")).toEqual([{ edgeCredential: [] }]);
  });
});
