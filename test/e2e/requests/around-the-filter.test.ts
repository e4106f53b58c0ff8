// What Envoy does around the filter, as docs/envoy-facts.md says it: HTTP/1.0, internal redirects, uploads that are denied
// before their end, and 103 Early Hints.
import { once } from "node:events";
import { createServer } from "node:http";
import { constants } from "node:http2";
import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { INVALID } from "../harness/answers.js";
import { openHttp2 } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { exchange, open, readUntil } from "../harness/raw-http1.js";

/** More than Envoy and the kernel keep. */
const UPLOAD = Buffer.alloc(8 << 20, "x");

/** Answers /from with a redirect to /to, and /early with 103 ahead of its answer. */
async function listen(port: number): Promise<() => void> {
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === "/early") response.writeEarlyHints({ link: "</style.css>; rel=preload" });
    if (request.url === "/from") response.writeHead(302, { location: `http://${request.headers.host ?? ""}/to` });
    response.end(`answered ${request.url ?? ""}`);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return () => {
    server.closeAllConnections();
    server.close();
  };
}

/** Envoy follows a redirect itself: it sends another request through its filters. */
function withInternalRedirects(bootstrap: string): string {
  const document = parseDocument(bootstrap);
  const manager = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config"];
  const route = [...manager, "route_config", "virtual_hosts", 0, "routes", 0, "route"];
  document.setIn([...route, "internal_redirect_policy"], document.createNode({ max_internal_redirects: 1 }));
  return document.toString({ lineWidth: 0 });
}

const sluice = useInstallation({
  policy: policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0 }]),
  upstream: listen,
  bootstrap: withInternalRedirects,
});

describe("a request that Envoy answers, repeats or cuts around the filter", () => {
  it("an HTTP/1.0 client gets 426 from Envoy, and no token is spent", async () => {
    const { token } = await sluice().api.issue();
    const answer = await exchangeUntilEnd(`GET / HTTP/1.0\r\nx-session-id: ${token}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.[01] 426 Upgrade Required\r\n/);
    expect((await sluice().send({ token })).headers.ratelimit).toBe('"default";r=99');
  });

  it("an internal redirect is a second request to the filter, and pays a second time", async () => {
    const { token } = await sluice().api.issue();
    const { status, body, headers } = await sluice().send({ token, path: "/from" });
    expect({ status, body }).toEqual({ status: 200, body: "answered /to" });
    expect(headers.ratelimit).toBe('"default";r=98');
  });

  it("an early 103 of the service ends at Envoy, and the answer has its limit headers", async () => {
    const { token } = await sluice().api.issue();
    const head = `GET /early HTTP/1.1\r\nhost: sluice\r\nx-session-id: ${token}\r\n\r\n`;
    const answer = await exchange(sluice().ports.proxy, head);
    expect(answer).toMatch(/^HTTP\/1.1 200 OK/);
    expect(answer).toMatch(/ratelimit: "default";r=99/);
  });

  it("an upload over HTTP/1.1 that is denied gets its answer, then a reset connection", async () => {
    const socket = await open(sluice().ports.proxy);
    const errors: (string | undefined)[] = [];
    socket.on("error", ({ code }: NodeJS.ErrnoException) => errors.push(code));
    const closed = new Promise((resolve) => socket.on("close", resolve));
    const lines = ["POST /upload HTTP/1.1", "host: sluice", "x-session-id: invented"];
    socket.write([...lines, `content-length: ${UPLOAD.length}`, "", ""].join("\r\n"));
    socket.write(UPLOAD);
    const answer = await readUntil(socket, (sofar) => sofar.includes(INVALID));
    expect(answer).toMatch(/^HTTP\/1.1 401 [^]*\r\nconnection: close\r\n/);
    socket.resume();
    await closed;
    // A client that goes on sending finds out by a reset, a second later; one that reads has its answer.
    expect(errors).toEqual(["ECONNRESET"]);
  });

  it("an upload over HTTP/2 that is denied gets its answer, and the connection goes on", async () => {
    const session = await openHttp2(sluice().ports.proxy);
    const stream = session.request({ ":method": "POST", ":path": "/upload", "x-session-id": "invented" });
    const answered = once(stream, "response");
    const closed = once(stream, "close");
    stream.write(UPLOAD);
    stream.resume();
    const [headers] = (await answered) as [Record<string, unknown>];
    expect(headers[":status"]).toBe(401);
    await closed;
    expect(stream).toMatchObject({ rstCode: constants.NGHTTP2_NO_ERROR, aborted: true });
    const { token } = await sluice().api.issue();
    const next = session.request({ ":path": "/", "x-session-id": token });
    const [ok] = (await once(next, "response")) as [Record<string, unknown>];
    expect(ok[":status"]).toBe(200);
    session.destroy();
  });
});

/** All that comes until Envoy closes. */
async function exchangeUntilEnd(bytes: string): Promise<string> {
  const socket = await open(sluice().ports.proxy);
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
  socket.write(bytes);
  await once(socket, "close");
  return answer;
}
