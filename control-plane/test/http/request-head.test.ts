// Requests that no client library sends: each gets the one form of errors, and an id that the log knows.
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";

import type { HttpApp } from "../../src/http/app.js";
import type { ErrorCode } from "../../src/http/errors.js";
import { ADMIN_TOKEN, created, expectError, KEYS, startTestControlPlane } from "../support/control-plane.js";
import type { TestControlPlane } from "../support/control-plane.js";
import { rawRequest } from "../support/raw-request.js";

const CLOSE = "connection: close";
const OPERATOR = `authorization: Bearer ${ADMIN_TOKEN}`;
const request = (line: string, ...headers: string[]): string => `${[line, ...headers, CLOSE].join("\r\n")}\r\n\r\n`;
const LIST = "GET /v1/sessions HTTP/1.1";

interface Listener {
  /** One of its paths. */
  readonly path: string;
  readonly appOf: (plane: TestControlPlane) => HttpApp;
  readonly urlOf: (plane: TestControlPlane) => string;
}

/** Neither may be held to less than the other. */
const LISTENERS: [string, Listener][] = [
  ["the API", { path: "/v1/sessions", appOf: ({ app }) => app, urlOf: ({ url }) => url }],
  [
    "the status listener",
    { path: "/metrics", appOf: ({ statusApp }) => statusApp, urlOf: ({ statusUrl }) => statusUrl },
  ],
];

/** To a path that the listener has. */
const badHeads = (path: string): [string, string, ErrorCode][] => {
  const get = `GET ${path} HTTP/1.1`;
  return [
    ["without a Host", request(get, OPERATOR), "MALFORMED_REQUEST"],
    ["with an empty Host", request(get, "host:", OPERATOR), "MALFORMED_REQUEST"],
    ["with a space in its Host", request(get, "host: a b", OPERATOR), "MALFORMED_REQUEST"],
    ["with a path in its Host", request(get, "host: a/b@c", OPERATOR), "MALFORMED_REQUEST"],
    ["with a port that is none", request(get, "host: a:b", OPERATOR), "MALFORMED_REQUEST"],
    ["with two Hosts", request(get, "host: a", "Host: a", OPERATOR), "MALFORMED_REQUEST"],
    ["that expects nonsense", request(get, "host: a", "expect: nonsense", OPERATOR), "EXPECTATION_FAILED"],
    ["of a method that HTTP has not", request(`FOO ${path} HTTP/1.1`, "host: a"), "MALFORMED_REQUEST"],
    ["of WebDAV's method", request(`PROPFIND ${path} HTTP/1.1`, "host: a"), "METHOD_NOT_ALLOWED"],
    ["to trace", request(`TRACE ${path} HTTP/1.1`, "host: a"), "METHOD_NOT_ALLOWED"],
    ["to connect through", "CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n", "METHOD_NOT_ALLOWED"],
    ["for the server's options", request("OPTIONS * HTTP/1.1", "host: a"), "ROUTE_NOT_FOUND"],
    ["without a version", `GET ${path}\r\n\r\n`, "MALFORMED_REQUEST"],
    ["that begins HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "MALFORMED_REQUEST"],
    ["with a target that is none", request("GET ht!tp://%zz HTTP/1.1", "host: a"), "MALFORMED_REQUEST"],
    ["with a name of a header that is none", request(get, "host: a", "bad header: x"), "MALFORMED_REQUEST"],
    ["with two lengths", request(get, "host: a", "content-length: 2", "content-length: 3"), "MALFORMED_REQUEST"],
    ["with a line beyond all bounds", request(`GET /${"x".repeat(20_000)} HTTP/1.1`, "host: a"), "HEADERS_TOO_LARGE"],
  ];
};

describe.each(LISTENERS)("at %s", (_name, { path, appOf, urlOf }) => {
  it.each(badHeads(path))(
    "a request %s has an error as its answer, with the id in the body and in a header",
    async (_, bytes, code) => {
      const plane = await startTestControlPlane();
      const answer = await rawRequest({ url: urlOf(plane) }, bytes);
      expectError(answer, code);
      expect(answer.body).toMatchObject({ error: { requestId: answer.headers.get("x-request-id") } });
      expect((await plane.status("/metrics")).text).toContain(`sluice_control_http_errors_total{code="${code}"} 1`);
    },
  );

  it("a CONNECT whose connection fails while it is answered ends nothing but itself", async () => {
    const plane = await startTestControlPlane();
    const hasFailed = new Promise<boolean>((resolve) => {
      // After the server's own listener, which has begun the answer. Nobody else hears of the error.
      appOf(plane).server.on("connect", (_request, socket: Socket) => {
        socket.on("close", resolve).destroy(new Error("the peer has reset the connection"));
      });
    });
    const peer = connect(Number(new URL(urlOf(plane)).port), "127.0.0.1").on("error", () => undefined);
    peer.write("CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n");
    expect(await hasFailed).toBe(true);
    expect((await plane.call("GET", "/v1/sessions")).status).toBe(200);
    expect((await plane.status("/healthz")).status).toBe(200);
  });
});

it("a request that does not arrive whole in time is 408", async () => {
  const plane = await startTestControlPlane();
  // Ten seconds otherwise.
  plane.app.server.headersTimeout = plane.app.server.requestTimeout = 1;
  const answer = await rawRequest(plane, `${LIST}\r\nhost: a\r\n`);
  expectError(answer, "REQUEST_TIMEOUT");
  expect(answer.body).toMatchObject({ error: { requestId: answer.headers.get("x-request-id") } });
});

it.each(["a", "a.b:8080", "127.0.0.1:80", "[::1]:8080", "outbound|8080||sluice.mesh.svc.cluster.local", "A:"])(
  "a request for the host %s is taken",
  async (host) => {
    const plane = await startTestControlPlane();
    const answer = await rawRequest(plane, request(LIST, `host: ${host}`, OPERATOR));
    expect(answer).toMatchObject({ status: 200, body: { sessions: [], cursor: null } });
  },
);

it("an old client that speaks HTTP/1.0 needs no Host", async () => {
  const plane = await startTestControlPlane();
  expect((await rawRequest(plane, request("GET /v1/sessions HTTP/1.0", OPERATOR))).status).toBe(200);
});

it("an edge may name the control plane by a cluster of any name", async () => {
  const plane = await startTestControlPlane();
  const { session } = await created(plane);
  const body = JSON.stringify({ edge: "gw-1", instance: "0123456789abcdef", session: session.id });
  const type = "content-type: application/json";
  const credential = `authorization: Bearer ${KEYS.edgeCredential}`;
  const head = ["host: sluice/plane,a@b", credential, type, `content-length: ${body.length}`];
  const answer = await rawRequest(plane, request("POST /edge/v1/acquire HTTP/1.1", ...head) + body);
  expect(answer.status).toBe(200);
});

it("a client that waits for 100 Continue gets it, in any case of letters", async () => {
  const plane = await startTestControlPlane();
  const answer = await rawRequest(plane, request(LIST, "host: a", "expect: 100-Continue", OPERATOR));
  expect(answer.status).toBe(100);
});

it("a method that a route does not take is 405, and Allow says which it takes", async () => {
  const plane = await startTestControlPlane();
  const { session } = await created(plane);
  for (const [method, path, allow] of [
    ["PUT", "/v1/sessions", "DELETE, GET, HEAD, POST"],
    ["OPTIONS", "/v1/sessions?limit=1", "DELETE, GET, HEAD, POST"],
    ["PUT", "/v1/%73essions", "DELETE, GET, HEAD, POST"],
    ["POST", `/v1/sessions/${session.id}`, "DELETE, GET, HEAD, PATCH"],
    ["GET", "/edge/v1/acquire", "POST"],
  ] as const) {
    const answer = await plane.call(method, path);
    expect(expectError(answer, "METHOD_NOT_ALLOWED")).toBe(`This route takes ${allow}`);
    expect(answer.headers.get("allow")).toBe(allow);
  }
});

it("an answer without an error has an id too, and no two have the same", async () => {
  const plane = await startTestControlPlane();
  const { session } = await created(plane);
  const answers = [
    await plane.call("GET", "/v1/sessions"),
    await plane.call("DELETE", `/v1/sessions/${session.id}`),
    await plane.call("GET", "/nothing"),
  ];
  const ids = answers.map(({ headers }) => headers.get("x-request-id"));
  expect(ids).toEqual(Array(3).fill(expect.stringMatching(/^[0-9a-f]{24}$/)));
  expect(new Set(ids).size).toBe(3);
});

it("a caller's own id comes back, unless it could be misread in a log", async () => {
  const plane = await startTestControlPlane();
  const idFor = async (id: string): Promise<string | null> =>
    (await plane.call("GET", "/v1/sessions", undefined, ADMIN_TOKEN, { "x-request-id": id })).headers.get(
      "x-request-id",
    );
  const callers = "7f9c2ba4-e88f-4e6e-8a0c-b1c0ffee0001";
  expect(await idFor(callers)).toBe(callers);
  for (const unfit of ["a b", '{"a":1}', "a".repeat(129), "é"]) expect(await idFor(unfit)).toMatch(/^[0-9a-f]{24}$/);
});

it("the log names a failure by the id that its answer has", async () => {
  const plane = await startTestControlPlane();
  const { session } = await created(plane);
  plane.store.find = () => Promise.reject(new Error("page 17 is torn"));
  const answer = await plane.call("GET", `/v1/sessions/${session.id}`);
  const line = plane
    .logged()
    .split("\n")
    .find((one) => one.includes('"request-failed"'));
  expect(JSON.parse(line ?? "{}")).toMatchObject({ requestId: answer.headers.get("x-request-id") });
});
