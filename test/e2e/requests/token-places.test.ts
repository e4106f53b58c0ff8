// Where the policy looks for the token, and what the service and the access log see of it: through a real Envoy, by the
// byte. docs/requests.md says the same in words.
import { connect } from "node:http2";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { OutgoingHttpHeaders } from "node:http2";
import { describe, expect, it } from "vitest";
import type { Document } from "yaml";
import { until } from "../../../control-plane/test/support/until.js";
import { tableUnder, withoutTicks } from "../../unit/docs.js";
import { INVALID, LIMITED, MISSING } from "../harness/answers.js";
import { changed, MANAGER, prepend, ROUTES } from "../harness/bootstrap.js";
import { headerLinesOf, listenForHeads } from "../harness/head-upstream.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf, type PolicyRest } from "../harness/policy.js";
import { exchange } from "../harness/raw-http1.js";
import { openWebsocket } from "../harness/websocket.js";

const HEADER = { header: "x-session-id" };
const BEARER = { authorization: "Bearer" };
const COOKIE = { cookie: "session" };
const ALL = [HEADER, BEARER, COOKIE];

const policyWith = (rest: PolicyRest) =>
  policyOf(
    [
      { name: "default", maxTokens: 1000, tokenRefillRate: 0 },
      { name: "gold", maxTokens: 1000, tokenRefillRate: 0 },
      { name: "single", maxTokens: 1, tokenRefillRate: 0 },
    ],
    rest,
  );

/** As docs/requests.md writes it. */
const LOGGED = tableUnder("docs/requests.md", "Access logs").map(([format = ""]) => withoutTicks(format));
const ACCESS_LOG = [...MANAGER, "access_log", 0, "typed_config", "log_format", "text_format_source", "inline_string"];
const ROUTE = { cluster: "upstream", timeout: "0s", idle_timeout: "60s" };
const DISABLED = { "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", disabled: true };

function changeBootstrap(document: Document): void {
  const header = (name: string, match: object): object => ({ prefix: "/", headers: [{ name, ...match }] });
  const direct = (match: object, body: string): object => ({
    match,
    direct_response: { status: 200, body: { inline_string: body } },
  });
  prepend(document, ROUTES, [
    { match: { path: "/off" }, route: ROUTE, typed_per_filter_config: { sluice: DISABLED } },
    direct(header("x-sluice-plan", { string_match: { exact: "gold" } }), "the route of gold"),
    direct(header("x-route-if-token", { present_match: true }), "never without a token"),
  ]);
  document.setIn([...ROUTES, 2, "match", "headers", 1], { name: "x-session-id", present_match: true });
  document.setIn([...MANAGER, "common_http_protocol_options"], { headers_with_underscores_action: "REJECT_REQUEST" });
  document.setIn(ACCESS_LOG, `said %REQ(X-MARK)% %RESPONSE_CODE% ${LOGGED.join(" ")}\n`);
}

const sluice = useInstallation({
  policy: policyWith({}),
  upstream: listenForHeads,
  bootstrap: (yaml) => changed(yaml, changeBootstrap),
});

const bodyOf = (answer: string): string => answer.slice(answer.indexOf("\r\n\r\n") + 4);

/** The answer to a GET with these header lines, over HTTP/1.1. */
const get = (lines: readonly string[], path = "/"): Promise<string> =>
  exchange(
    sluice().ports.proxy,
    Buffer.from([`GET ${path} HTTP/1.1`, "host: sluice", ...lines, "", ""].join("\r\n"), "latin1"),
  );

/** What the service gets of these lines. */
async function received(lines: readonly string[], path = "/"): Promise<string[]> {
  const answer = await get(lines, path);
  expect(answer).toMatch(/^HTTP\/1.1 200 /);
  return headerLinesOf(bodyOf(answer));
}

/** The same over HTTP/2. */
async function receivedOverHttp2(headers: OutgoingHttpHeaders): Promise<string[]> {
  const session = connect(`http://127.0.0.1:${sluice().ports.proxy}`);
  const stream = session.request({ ":path": "/", ...headers });
  stream.end();
  const [answer] = (await once(stream, "response")) as [OutgoingHttpHeaders];
  const body = await text(stream);
  session.close();
  expect(answer[":status"]).toBe(200);
  return headerLinesOf(body);
}

/** The form of each place, in lower case as Envoy passes names on. */
const lineOf = (place: object, token: string): string => {
  if (place === HEADER) return `x-session-id: ${token}`;
  return place === BEARER ? `authorization: Bearer ${token}` : `cookie: session=${token}`;
};

describe("where a real Envoy finds the token", () => {
  it("a token is found in each place, and goes on by the byte as it came", async () => {
    await sluice().changePolicy(policyWith({ token: { from: ALL } }));
    for (const place of ALL) {
      const { token } = await sluice().api.issue();
      for (let count = 0; count < 2; count++) {
        expect(await received([lineOf(place, token)])).toEqual([lineOf(place, token)]);
      }
    }
  });

  it("a token of each place in other forms goes on as it came", async () => {
    const { token } = await sluice().api.issue();
    const forms = [
      [`authorization: bEARER   ${token}`],
      ["authorization: Basic dXNlcjpwYXNz", `cookie: a="1, 2"; session="${token}" ;b=`],
      ["cookie: a=1; b=2,3", "cookie: c=3", `cookie: session=${token}; session=other`],
      [`x-session-id: ${token}`, "x-session-id: other"],
    ];
    for (const lines of forms) expect(await received(lines)).toEqual([...lines].sort());
  });

  it("cookies of HTTP/2, each in a header of its own, are found", async () => {
    const { token } = await sluice().api.issue();
    expect(await receivedOverHttp2({ cookie: ["a=1", `session=${token}`, "b=2"] })).toEqual([
      `cookie: a=1; session=${token}; b=2`,
    ]);
  });

  it("a WebSocket is admitted by a cookie, as a page in a browser opens it", async () => {
    const { token } = await sluice().api.issue();
    const outcome = await openWebsocket(sluice().ports.proxy, { cookie: `a=1; session=${token}` });
    expect(outcome.upgraded).toBe(true);
    if (outcome.upgraded) outcome.socket.destroy();
    expect(await openWebsocket(sluice().ports.proxy, { cookie: "a=1" })).toMatchObject({
      upgraded: false,
      body: MISSING,
    });
  });

  it("two Authorization headers are none, and a Bearer token of another is not ours", async () => {
    const { token } = await sluice().api.issue();
    const bearer = lineOf(BEARER, token);
    expect(await get([bearer, bearer])).toContain(MISSING);
    expect(await get([bearer, "authorization: Basic dXNlcjpwYXNz"])).toContain(MISSING);
    expect(await get(["authorization: Bearer eyJhbGciOiJub25lIn0.e30.x"])).toContain(MISSING);
    expect(await get([`authorization: Bearer ${"x".repeat(48)}`])).toContain(INVALID);
  });

  it("a cookie behind 50 KB of others is found on any line", async () => {
    const { token } = await sluice().api.issue();
    const lines = Array.from({ length: 50 }, (_, n) => `cookie: c${n}=${"x".repeat(1000)}`);
    expect(await get([...lines, lineOf(COOKIE, token)])).toMatch(/^HTTP\/1.1 200 /);
    const long = `cookie: a=${"x".repeat(50_000)}; session=${token}`;
    expect(await get([long])).toMatch(/^HTTP\/1.1 200 /);
  });

  it("a 401 asks for a Bearer token where that is the first place", async () => {
    await sluice().changePolicy(policyWith({ token: { from: [BEARER, COOKIE] } }));
    expect(await get([])).toMatch(/^www-authenticate: Bearer realm="sluice"\r$/im);
    const invalid = await get([`authorization: Bearer ${"x".repeat(48)}`]);
    expect(invalid).toMatch(/^www-authenticate: Bearer realm="sluice", error="invalid_token"\r$/im);
  });
});

describe("what the service sees of a token that is not forwarded", () => {
  it("no token reaches the service, from any place, and all else does", async () => {
    await sluice().changePolicy(policyWith({ token: { from: ALL, forward: false } }));
    const { token } = await sluice().api.issue();
    const basic = "authorization: Basic dXNlcjpwYXNz";
    for (let count = 0; count < 2; count++) {
      for (const place of ALL) expect(await received([lineOf(place, token), "a: 1"])).toEqual(["a: 1"]);
      const twice = [`X-Session-ID: ${token}`, `x-session-id: ${token}`, `X-SESSION-ID: other`];
      expect(await received([...twice, basic])).toEqual([basic]);
      expect(await received(ALL.map((place) => lineOf(place, token)))).toEqual([]);
      const bearer = lineOf(BEARER, token);
      expect(await received([lineOf(HEADER, token), bearer, bearer])).toEqual([]);
      expect(await received([lineOf(HEADER, token), basic, bearer])).toEqual([]);
      const cookies = [`cookie: a="1, 2"; session=${token}; b=`, "cookie: c=3", "cookie: session=x"];
      expect(await received(cookies)).toEqual(['cookie: a="1, 2"; b=', "cookie: c=3"]);
    }
  });

  it("no token reaches the service over HTTP/2, and none under enforcement: off", async () => {
    const { token } = await sluice().api.issue();
    expect(await receivedOverHttp2({ cookie: ["a=1", `session=${token}`, "b=2"] })).toEqual(["cookie: a=1; b=2"]);
    await sluice().changePolicy(policyWith({ token: { from: ALL, forward: false }, enforcement: "off" }));
    expect(await received(ALL.map((place) => lineOf(place, token)))).toEqual([]);
  });
});

describe("what the service is told of a session", () => {
  const spoofed = ["X-Sluice-Session: 1", "x-sluice-plan: gold", "X-SLUICE-PLAN: gold", "x-sluice-session: 2"];

  it("a service gets session and plan from here alone, whatever the client sends", async () => {
    await sluice().changePolicy(policyWith({ token: { from: [HEADER], forward: false, identity: true } }));
    const { token, id } = await sluice().api.issue();
    const told = ["x-sluice-plan: default", `x-sluice-session: ${id}`];
    for (let count = 0; count < 2; count++) {
      expect(await received([...spoofed, lineOf(HEADER, token), ...spoofed])).toEqual(told);
      expect(await receivedOverHttp2({ "x-session-id": token, "x-sluice-plan": "gold" })).toEqual(told);
    }
  });

  it("a name with an underscore is rejected where Envoy is told to", async () => {
    const { token } = await sluice().api.issue();
    expect(await get([lineOf(HEADER, token), "x_sluice_plan: gold"])).toMatch(/^HTTP\/1.1 400 /);
  });

  it("a route without the filter lets through what the client says of a session", async () => {
    expect(await received(["x-sluice-session: 1"], "/off")).toEqual(["x-sluice-session: 1"]);
  });

  it("Envoy chooses the route anew: by the plan that is set, and without the token that is gone", async () => {
    const gold = await sluice().api.issue("gold");
    const { token } = await sluice().api.issue();
    for (let count = 0; count < 2; count++) {
      expect(bodyOf(await get([lineOf(HEADER, gold.token)]))).toBe("the route of gold");
      expect(await received([lineOf(HEADER, token), "x-sluice-plan: gold"])).not.toEqual([]);
      expect(await received([lineOf(HEADER, token), "x-route-if-token: 1"])).toContain("x-route-if-token: 1");
    }
    await sluice().changePolicy(policyWith({ token: { from: [HEADER] } }));
    expect(bodyOf(await get([lineOf(HEADER, token), "x-route-if-token: 1"]))).toBe("never without a token");
    expect(bodyOf(await get([lineOf(HEADER, token), "x-sluice-plan: gold"]))).toBe("the route of gold");
  });

  it("a request that passes without a session says none to the service", async () => {
    await sluice().changePolicy(policyWith({ token: { identity: true }, enforcement: "off" }));
    const { token } = await sluice().api.issue();
    expect(await received([...spoofed, lineOf(HEADER, token)])).toEqual([lineOf(HEADER, token)]);
  });
});

describe("what the access log says of a request", () => {
  let marks = 0;

  /** What is logged of a request with these lines. */
  async function logged(...lines: string[]): Promise<string> {
    const mark = `m${++marks}`;
    await get([...lines, `x-mark: ${mark}`]);
    const log = new RegExp(`^said ${mark} (.*)$`, "m");
    await until(() => {
      expect(sluice().envoy.log).toMatch(log);
      return Promise.resolve();
    });
    return log.exec(sluice().envoy.log)?.[1] ?? "";
  }

  it("an access log has session, plan, decision and limit, and never the token", async () => {
    await sluice().changePolicy(policyWith({ annotate: ["session", "plan", "decision", "limit"] }));
    const { token, id } = await sluice().api.issue("single");
    expect(await logged(lineOf(HEADER, token))).toBe(`200 ${id} single allowed -`);
    expect(await logged(lineOf(HEADER, token))).toBe(`429 ${id} single limited single`);
    expect(await logged(lineOf(HEADER, token))).toBe(`429 ${id} single limited single`);
    expect(await logged()).toBe("401 - - missing -");
    expect(await logged("x-session-id: invented")).toBe("401 - - invalid -");
    expect(await get([lineOf(HEADER, token)])).toContain(LIMITED);
  });

  it("an access log has nothing of it by default", async () => {
    await sluice().changePolicy(policyWith({}));
    const { token } = await sluice().api.issue();
    expect(await logged(lineOf(HEADER, token))).toBe("200 - - - -");
  });
});
