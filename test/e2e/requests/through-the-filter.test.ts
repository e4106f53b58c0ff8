// docs/requests.md, line by line: the forms of the session's header, what the service sees, routes without a limit, long
// requests and 100-continue. The YAML that Envoy runs with is the document's.
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { type Document, parse } from "yaml";
import { until } from "../../../control-plane/test/support/until.js";
import { sectionOf } from "../../unit/docs.js";
import { INVALID, LIMITED, MISSING } from "../harness/answers.js";
import { changed, HTTP_FILTERS, MANAGER, prepend, ROUTES } from "../harness/bootstrap.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { exchange, open, readUntil } from "../harness/raw-http1.js";
import { openWebsocket } from "../harness/websocket.js";

const policy = policyOf([
  { name: "default", maxTokens: 100, tokenRefillRate: 0 },
  { name: "single", maxTokens: 1, tokenRefillRate: 0 },
]);
const ROUTE = { cluster: "upstream", timeout: "0s", idle_timeout: "60s" };

/** The block of YAML under a heading of the document that stands at this place. */
function documented(title: string, at = 0): object {
  const blocks = [...sectionOf("docs/requests.md", title).matchAll(/^```yaml\n([^]*?)^```$/gm)];
  const yaml = blocks[at]?.[1];
  if (yaml === undefined) throw new Error(`docs/requests.md has no such YAML under "${title}"`);
  return parse(yaml) as object;
}
const disabled = documented("Routes without a limit");
const enabled = documented("Routes without a limit", 1);
const withoutHeader = documented("In Envoy alone");
const proxied100 = documented("Expect: 100-continue");

function withDocumented(document: Document): void {
  const routes = [
    { match: { prefix: "/open/" }, route: ROUTE, ...disabled },
    { match: { path: "/without" }, route: ROUTE, ...withoutHeader },
  ];
  prepend(document, ROUTES, routes);
  for (const [field, value] of Object.entries(proxied100)) document.setIn([...MANAGER, field], value);
}

/** Answers with the path, every session header and the names of all headers that reached it; a websocket echoes. */
async function listen(port: number): Promise<() => void> {
  const server = createServer((request, response) => {
    const tokens = request.rawHeaders.filter((_, index, all) => /^x-session-id$/i.test(all[index - 1] ?? ""));
    const names = Object.keys(request.headers).sort();
    response.end(JSON.stringify({ path: request.url, tokens, names }));
  });
  server.on("upgrade", (_request, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n");
    socket.pipe(socket);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return () => {
    server.close();
    server.closeAllConnections();
  };
}

const sluice = useInstallation({ policy, upstream: listen, bootstrap: (yaml) => changed(yaml, withDocumented) });

/** The answer to a GET with these header lines. */
const get = (...lines: string[]): Promise<string> =>
  exchange(
    sluice().ports.proxy,
    ["GET / HTTP/1.1", "host: sluice", "connection: close", ...lines, "", ""].join("\r\n"),
  );

describe("the session's header", () => {
  it("a session's header has no case, and spaces around its value do not count", async () => {
    const { token } = await sluice().api.issue();
    for (const line of [`X-SESSION-ID: ${token}`, `x-session-id:${token}`, `X-Session-Id: \t ${token} \t`])
      expect(await get(line)).toMatch(/^HTTP\/1.1 200 /);
  });

  it("a session header that is empty, alone or the first of two, is no session", async () => {
    const { token } = await sluice().api.issue();
    for (const lines of [["x-session-id:"], ["x-session-id:   "], ["x-session-id:", `x-session-id: ${token}`]])
      expect(await get(...lines)).toContain(MISSING);
  });

  it("the first of two session headers counts, and two tokens in one are none", async () => {
    const { token } = await sluice().api.issue();
    expect(await get(`x-session-id: ${token}`, "x-session-id: invented")).toMatch(/^HTTP\/1.1 200 /);
    expect(await get("x-session-id: invented", `x-session-id: ${token}`)).toContain(INVALID);
    expect(await get(`x-session-id: ${token}, ${token}`)).toContain(INVALID);
  });

  it("a token in a cookie, the query or a subprotocol is not looked at", async () => {
    const { token } = await sluice().api.issue();
    const places = [{ headers: { cookie: `x-session-id=${token}` } }, { path: `/?x-session-id=${token}` }];
    for (const place of places) expect(await sluice().send(place)).toMatchObject({ status: 401, body: MISSING });
    const socket = await openWebsocket(sluice().ports.proxy, { "sec-websocket-protocol": token });
    expect(socket).toMatchObject({ upgraded: false, body: MISSING });
  });
});

describe("what the service sees of a token", () => {
  it("a service gets the session's header as it came, and a second one too", async () => {
    const { token } = await sluice().api.issue();
    const { body } = await sluice().send({ token });
    expect(JSON.parse(body)).toMatchObject({ path: "/", tokens: [token] });
    expect(await get(`x-session-id: ${token}`, "x-session-id: other")).toContain(JSON.stringify([token, "other"]));
  });

  it("a service gets no header that the filter has added", async () => {
    const { token } = await sluice().api.issue();
    const names = async (path: string): Promise<unknown> => {
      const { body } = await sluice().send({ token, path });
      return (JSON.parse(body) as { names: unknown }).names;
    };
    expect(await names("/")).toEqual(await names("/open/x"));
  });

  it("a service behind request_headers_to_remove never sees a token, and the limit holds", async () => {
    const { token } = await sluice().api.issue("single");
    const { status, body } = await sluice().send({ token, path: "/without" });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ path: "/without", tokens: [] });
    expect(await sluice().send({ token, path: "/without" })).toMatchObject({ status: 429, body: LIMITED });
    expect(await sluice().send({ path: "/without" })).toMatchObject({ status: 401, body: MISSING });
  });
});

describe("a route on which the filter is disabled", () => {
  it("a route without the filter needs no token, spends none and says nothing of limits", async () => {
    const { token } = await sluice().api.issue();
    for (const request of [{}, { token: "invented" }, { token }]) {
      const answer = await sluice().send({ ...request, path: "/open/x" });
      expect({ status: answer.status, limit: answer.headers.ratelimit }).toEqual({ status: 200, limit: undefined });
    }
    expect((await sluice().send({ token })).headers.ratelimit).toBe('"default";r=99');
  });

  it("requests of a route without the filter are in none of its metrics", async () => {
    const counted = async (): Promise<number> => {
      const samples = [...(await sluice().envoyAdmin.samples())];
      return samples.reduce((sum, [name, value]) => sum + (name.startsWith("sluice_requests_total") ? value : 0), 0);
    };
    for (let count = 0; count < 10; count++) await sluice().send({ path: "/open/x" });
    await sluice().send({ path: "/last" });
    await until(async () => {
      const logged = sluice().envoy.log.match(/^\S+Z GET \S+ HTTP\/.*$/gm) ?? [];
      expect(logged.at(-1)).toContain("GET /last ");
      expect(await counted()).toBe(logged.filter((line) => !line.includes("GET /open/")).length);
    });
  });

  it("a path leaves a route without the filter by dots, but not by an escaped slash", async () => {
    const raw = (path: string): Promise<string> =>
      exchange(sluice().ports.proxy, `GET ${path} HTTP/1.1\r\nhost: sluice\r\nconnection: close\r\n\r\n`);
    expect(await raw("/open/../paid")).toContain(MISSING);
    expect(await raw("/open/%2e%2e/paid")).toContain(MISSING);
    expect(await raw("/open/..%2Fpaid")).toContain('"path":"/open/..%2Fpaid"');
  });
});

describe("a filter that is disabled but for some routes", () => {
  const some = useInstallation({
    policy,
    awaitPolicy: false,
    upstream: listen,
    bootstrap: (yaml) =>
      changed(yaml, (document) => {
        document.setIn([...HTTP_FILTERS, 0, "disabled"], true);
        prepend(document, ROUTES, [{ match: { path: "/paid" }, route: ROUTE, ...enabled }]);
        document.setIn([...MANAGER, "path_with_escaped_slashes_action"], "REJECT_REQUEST");
      }),
  });

  it("a filter that is disabled but for a route limits that route alone", async () => {
    await some().current();
    const { token } = await some().api.issue("single");
    expect(await some().send({ path: "/paid" })).toMatchObject({ status: 401, body: MISSING });
    expect((await some().send({ path: "/paid", token })).status).toBe(200);
    expect(await some().send({ path: "/paid", token })).toMatchObject({ status: 429, body: LIMITED });
    expect(await some().send({ path: "/", token })).toMatchObject({ status: 200 });
    expect(await some().send({ path: "/" })).toMatchObject({ status: 200 });
  });

  it("a path with an escaped slash is rejected where Envoy is told to", async () => {
    expect((await some().send({ path: "/open/..%2Fpaid" })).status).toBe(400);
  });
});

describe("long requests and large ones", () => {
  it("a websocket costs one token, however much is said over it", async () => {
    const { token } = await sluice().api.issue();
    const outcome = await openWebsocket(sluice().ports.proxy, { "x-session-id": token });
    if (!outcome.upgraded) throw new Error(`denied with ${outcome.answer.statusCode ?? 0}`);
    expect(outcome.answer.headers.ratelimit).toBe('"default";r=99');
    for (let count = 0; count < 200; count++) {
      outcome.socket.write("hello");
      await once(outcome.socket, "data");
    }
    outcome.socket.destroy();
    expect((await sluice().send({ token })).headers.ratelimit).toBe('"default";r=98');
  });

  it("a denied client that expects 100-continue is told so first under proxy_100_continue", async () => {
    const single = await sluice().api.issue("single");
    await sluice().send({ token: single.token });
    const ask = async (token: string, isEnough: (sofar: string) => boolean): Promise<string> => {
      const socket = await open(sluice().ports.proxy);
      const lines = ["POST /large HTTP/1.1", "host: sluice", `x-session-id: ${token}`, "content-length: 1000000"];
      socket.write([...lines, "expect: 100-continue", "", ""].join("\r\n"));
      const answer = await readUntil(socket, isEnough);
      socket.destroy();
      return answer;
    };
    expect(await ask("invented", (sofar) => sofar.includes(INVALID))).toMatch(/^HTTP\/1.1 401 /);
    expect(await ask(single.token, (sofar) => sofar.includes(LIMITED))).toMatch(/^HTTP\/1.1 429 /);
    const { token } = await sluice().api.issue();
    const admitted = await ask(token, (sofar) => sofar.includes("\r\n\r\n"));
    expect(admitted).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\n/);
  });
});
