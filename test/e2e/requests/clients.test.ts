// Every kind of HTTP client gets an answer in a form that it understands.
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { CHALLENGE, INVALID, LIMITED, MISSING } from "../harness/answers.js";
import type { HttpAnswer } from "../harness/http1.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { exchange, open, readUntil } from "../harness/raw-http1.js";
import { UPSTREAM_BODY } from "../harness/upstream.js";
import { openWebsocket } from "../harness/websocket.js";

const MEGABYTE = Buffer.alloc(1 << 20, "x");

const sluice = useInstallation({
  policy: policyOf([
    // Nothing comes back while a test runs, and yet there is a time to name: a token takes 1000 s.
    { name: "single", maxTokens: 1, tokenRefillRate: 0.001 },
    { name: "default", maxTokens: 100, tokenRefillRate: 0 },
  ]),
});

/** A session that has spent its only token. */
async function exhausted(): Promise<string> {
  const { token } = await sluice().api.issue("single");
  await sluice().send({ token });
  return token;
}

describe("a denied client", () => {
  const headersOf = ({ headers }: HttpAnswer, ...names: string[]) =>
    Object.fromEntries(names.map((name) => [name, headers[name]]));

  it("a client without a token gets 401 that says so", async () => {
    const answer = await sluice().send();
    expect(answer).toMatchObject({ status: 401, body: MISSING });
    expect(headersOf(answer, "content-type", "www-authenticate", "ratelimit", "retry-after")).toEqual({
      "content-type": "application/json",
      "www-authenticate": CHALLENGE,
    });
  });

  it("a client with an invalid token gets 401 that says so", async () => {
    const answer = await sluice().send({ token: "invented" });
    expect(answer).toMatchObject({ status: 401, body: INVALID });
    expect(headersOf(answer, "content-type", "www-authenticate")).toEqual({
      "content-type": "application/json",
      "www-authenticate": CHALLENGE,
    });
  });

  it("a client above its limit gets 429 with the time to come back", async () => {
    const answer = await sluice().send({ token: await exhausted() });
    expect(answer).toMatchObject({ status: 429, body: LIMITED });
    expect(headersOf(answer, "content-type", "www-authenticate", "ratelimit-policy")).toEqual({
      "content-type": "application/json",
      "ratelimit-policy": '"single";q=1;w=1000',
    });
    const retryAfter = answer.headers["retry-after"] ?? "";
    expect(retryAfter).toMatch(/^(1000|9\d\d)$/);
    expect(answer.headers.ratelimit).toBe(`"single";r=0;t=${retryAfter}`);
  });

  it("a denied client never reaches the service", async () => {
    const token = await exhausted();
    const reached = sluice().upstream.received.length;
    await sluice().send();
    await sluice().send({ token: "invented" });
    await sluice().send({ token });
    expect(sluice().upstream.received.length).toBe(reached);
  });

  it("a denied client is in the access log with the reason and without its token", async () => {
    const token = await exhausted();
    await sluice().send({ path: "/log/missing" });
    await sluice().send({ path: "/log/invalid", token: "invented" });
    await sluice().send({ path: "/log/limited?token=secret", token });
    await until(() => {
      const { log } = sluice().envoy;
      expect(log).toMatch(/ GET \/log\/missing HTTP\/1.1 401 sluice_missing_session /);
      expect(log).toMatch(/ GET \/log\/invalid HTTP\/1.1 401 sluice_invalid_session /);
      expect(log).toMatch(/ GET \/log\/limited HTTP\/1.1 429 sluice_limited /);
    });
  });
});

describe("a client that uses more of HTTP", () => {
  it("a HEAD request gets the same headers and no body, denied or not", async () => {
    const { token } = await sluice().api.issue("default");
    expect(await sluice().send({ method: "HEAD", token })).toMatchObject({ status: 200, body: "" });
    const limited = await sluice().send({ method: "HEAD", token: await exhausted() });
    expect(limited).toMatchObject({ status: 429, body: "" });
    expect(limited.headers["ratelimit-policy"]).toBe('"single";q=1;w=1000');
    expect(await sluice().send({ method: "HEAD" })).toMatchObject({ status: 401, body: "" });

    const head = ["HEAD / HTTP/1.1", "host: sluice", "connection: close", "", ""].join("\r\n");
    const socket = await open(sluice().ports.proxy);
    socket.write(head);
    const answer = await readUntil(socket, (sofar) => sofar.includes("\r\n\r\n"));
    expect(answer.split("\r\n\r\n")[1]).toBe("");
    socket.destroy();
  });

  it("a body of a megabyte arrives whole if admitted, and not at all if denied", async () => {
    const { token } = await sluice().api.issue("default");
    const admitted = await sluice().send({ method: "POST", path: "/upload", body: MEGABYTE, token });
    expect(admitted).toMatchObject({ status: 200, body: UPSTREAM_BODY });
    expect(sluice().upstream.received.at(-1)).toEqual({ method: "POST", path: "/upload", bodyBytes: MEGABYTE.length });

    const denials = [
      { token: "invented", status: 401, body: INVALID },
      { token: await exhausted(), status: 429, body: LIMITED },
    ];
    const reached = sluice().upstream.received.length;
    for (const denial of denials) {
      const lines = ["POST /upload HTTP/1.1", "host: sluice", `x-session-id: ${denial.token}`];
      const head = [...lines, `content-length: ${MEGABYTE.length}`, "", ""].join("\r\n");
      const answer = await exchange(sluice().ports.proxy, Buffer.concat([Buffer.from(head), MEGABYTE]));
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${denial.status} `));
      expect(answer.split("\r\n\r\n")[1]).toBe(denial.body);
    }
    expect(sluice().upstream.received.length).toBe(reached);
  });

  it("a client that expects 100-continue gets it if it is admitted", async () => {
    const { token } = await sluice().api.issue("default");
    const socket = await open(sluice().ports.proxy);
    const lines = ["POST /continue HTTP/1.1", "host: sluice", `x-session-id: ${token}`, "content-length: 4"];
    socket.write([...lines, "expect: 100-continue", "", ""].join("\r\n"));
    expect(await readUntil(socket, (sofar) => sofar.endsWith("\r\n\r\n"))).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    socket.write("body");
    const answer = await readUntil(socket, (sofar) => sofar.includes(UPSTREAM_BODY));
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(sluice().upstream.received.at(-1)).toEqual({ method: "POST", path: "/continue", bodyBytes: 4 });
    socket.destroy();
  });

  it("a client that expects 100-continue is denied without sending its body", async () => {
    const reached = sluice().upstream.received.length;
    const socket = await open(sluice().ports.proxy);
    const lines = ["POST /continue HTTP/1.1", "host: sluice", "x-session-id: invented", "content-length: 4"];
    socket.write([...lines, "expect: 100-continue", "", ""].join("\r\n"));
    // Envoy sends its own 100 Continue ahead of any filter; a client takes the final answer all the same.
    const answer = await readUntil(socket, (sofar) => sofar.includes(INVALID));
    expect(answer).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 401 /);
    expect(sluice().upstream.received.length).toBe(reached);
    socket.destroy();
  });

  it("an admitted client upgrades to a websocket and talks over it", async () => {
    const { token } = await sluice().api.issue("default");
    const outcome = await openWebsocket(sluice().ports.proxy, { "x-session-id": token });
    if (!outcome.upgraded) throw new Error(`denied with ${outcome.answer.statusCode ?? 0}`);
    expect(outcome.answer.statusCode).toBe(101);
    expect(outcome.answer.headers.ratelimit).toBe('"default";r=99');
    outcome.socket.write("hello");
    const [echo] = (await once(outcome.socket, "data")) as [Buffer];
    expect(echo.toString()).toBe("hello");
    outcome.socket.destroy();
  });

  it("a denied websocket handshake gets a plain answer", async () => {
    const reached = sluice().upstream.received.length;
    const missing = await openWebsocket(sluice().ports.proxy, {});
    expect(missing).toMatchObject({ upgraded: false, body: MISSING, answer: { statusCode: 401 } });
    expect(sluice().upstream.received.length).toBe(reached);
    const limited = await openWebsocket(sluice().ports.proxy, { "x-session-id": await exhausted() });
    expect(limited).toMatchObject({ upgraded: false, body: LIMITED, answer: { statusCode: 429 } });
  });
});
