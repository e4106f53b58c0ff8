// What a client sees: the form of each answer, the limit headers, and that denials write nothing.
import { describe, expect, it } from "vitest";
import { endedAnswer, plan, policy } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import type { HeaderPairs } from "../harness/host/header-map.js";
import type { Stream } from "../harness/host/stream.js";

const STREAMS_REMEMBERED = 4096;
const REFILLING = plan({ maxTokens: 100, tokenRefillRate: 10 });

function header(stream: Stream, name: string): string | undefined {
  return stream.responseHeaders?.get(name);
}

function bodyOf(stream: Stream): unknown {
  return JSON.parse(stream.local?.body ?? "null") as unknown;
}

describe("a request without a token", () => {
  it("a request without a token gets 401 MISSING_SESSION, and the service never sees it", () => {
    const stream = new Edge().worker(0).request(requestWith(undefined));
    expect(stream).toMatchObject({ status: 401, reachedUpstream: false });
    expect(bodyOf(stream)).toEqual({ error: { code: "MISSING_SESSION", message: "Session ID is required" } });
    expect(header(stream, "content-type")).toBe("application/json");
    expect(header(stream, "www-authenticate")).toBe('Session realm="sluice", header="X-Session-ID"');
    expect(stream.local?.details).toBe("sluice_missing_session");
  });

  it("a request with an empty header counts as one without a token", () => {
    const stream = new Edge().worker(0).request(requestWith(""));
    expect(bodyOf(stream)).toMatchObject({ error: { code: "MISSING_SESSION" } });
  });
});

describe("a request with an invalid token", () => {
  const good = new Edge().newSession().token;
  it.each([
    ["too short", good.slice(1)],
    ["too long", `${good}A`],
    ["padded", `${good}=`],
    ["in the standard alphabet", `+/${good.slice(2)}`],
    ["of another version", `Ag${good.slice(2)}`],
    ["with a blank", ` ${good.slice(1)}`],
    ["not ASCII", `${good.slice(0, 47)}\u00e9`],
    ["with a NUL", `${good.slice(0, 47)}\0`],
    ["of 4 KB and a byte", "A".repeat(4097)],
    ["of 20 KB", "A".repeat(20_000)],
  ])("a token %s gets 401 INVALID_SESSION, and nobody is asked", (_what, token) => {
    const edge = new Edge();
    const stream = edge.send(token);
    expect(stream).toMatchObject({ status: 401, reachedUpstream: false });
    expect(bodyOf(stream)).toEqual({ error: { code: "INVALID_SESSION", message: "Session is invalid or expired" } });
    expect(stream.local?.details).toBe("sluice_invalid_session");
    expect(edge.acquires).toHaveLength(0);
    expect(edge.host.sharedData.size).toBe(0);
  });
});

describe("two header lines", () => {
  it("the first header line counts, whatever the second is", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const line = (value: string): readonly [string, string] => ["x-session-id", value];
    const both = (first: string, second: string): HeaderPairs => [...requestWith(undefined), line(first), line(second)];
    expect(edge.worker(0).request(both(session.token, "invented")).status).toBe(200);
    expect(edge.worker(0).request(both("invented", session.token)).status).toBe(401);
    expect(edge.worker(0).request(both("", session.token)).status).toBe(401);
  });

  it("the policy names the header", () => {
    const edge = new Edge({ policy: policy({ header: "X-Api-Session" }) });
    const session = edge.newSession();
    expect(bodyOf(edge.send(session))).toMatchObject({ error: { code: "MISSING_SESSION" } });
    const stream = edge.worker(0).request([...requestWith(undefined), ["x-api-session", session.token]]);
    expect(stream.paused).toBe(true);
  });
});

describe("limit headers of a response", () => {
  it("limit headers show what is left, when there is more, and the policy", () => {
    const edge = new Edge({ policy: policy({ plans: [REFILLING] }) });
    const session = edge.sessionInTable({ tokens: 57 });
    const stream = edge.send(session);
    expect(header(stream, "ratelimit-policy")).toBe('"default";q=100;w=10');
    expect(header(stream, "ratelimit")).toBe('"default";r=56;t=1');
    expect(header(stream, "retry-after")).toBeUndefined();
  });

  it("limit headers come with Retry-After on 429, with the code and message", () => {
    const edge = new Edge({ policy: policy({ plans: [plan({ maxTokens: 5, tokenRefillRate: 0.3 })] }) });
    const stream = edge.send(edge.sessionInTable({ tokens: 0 }));
    const message = "Rate limit exceeded for session";
    expect(stream).toMatchObject({ status: 429, reachedUpstream: false });
    expect(bodyOf(stream)).toEqual({ error: { code: "RATE_LIMIT_EXCEEDED", message } });
    expect(header(stream, "retry-after")).toBe("4");
    expect(header(stream, "ratelimit")).toBe('"default";r=0;t=4');
    expect(header(stream, "ratelimit-policy")).toBe('"default";q=5;w=17');
    expect(stream.local?.details).toBe("sluice_limited");
  });

  it("limit headers promise nothing where no token will come", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 1 });
    expect(header(edge.send(session), "ratelimit")).toBe('"default";r=0');
    const denied = edge.send(session);
    expect(header(denied, "ratelimit-policy")).toBe('"default";q=10');
    expect(header(denied, "retry-after")).toBeUndefined();
  });

  it.each([
    ["x-ratelimit", ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]],
    ["both", ["ratelimit", "ratelimit-policy", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]],
    ["none", []],
  ])("limit headers take the form %s", (headers, names) => {
    const edge = new Edge({ policy: policy({ plans: [REFILLING], response: { headers } }) });
    const stream = edge.send(edge.sessionInTable({ tokens: 57 }));
    const sent = stream.responseHeaders?.pairs().map(([name]) => name) ?? [];
    expect(sent.filter((name) => name.includes("ratelimit")).sort()).toEqual(names);
    if (names.includes("x-ratelimit-limit")) {
      expect([header(stream, "x-ratelimit-limit"), header(stream, "x-ratelimit-remaining")]).toEqual(["100", "56"]);
      expect(header(stream, "x-ratelimit-reset")).toBe("5");
    }
  });

  it("limit headers stand once in an answer of the filter itself", () => {
    const edge = new Edge();
    const denied = edge.send(edge.sessionInTable({ tokens: 0 }));
    const names = denied.responseHeaders?.pairs().map(([name]) => name) ?? [];
    expect(new Set(names).size).toBe(names.length);
  });

  it("limit headers are left out for a stream that more than 4,096 newer ones overtook", () => {
    const edge = new Edge({ policy: policy({ plans: [plan({ maxTokens: 9000 })] }) });
    const slow = edge.worker(0).open(requestWith(edge.sessionInTable({ tokens: 5000 })));
    const other = edge.sessionInTable({ tokens: 8000 });
    for (let i = 0; i < STREAMS_REMEMBERED; i++) edge.send(other);
    slow.respond();
    expect(slow.status).toBe(200);
    expect(header(slow, "ratelimit")).toBeUndefined();
    edge.flush();
    expect(edge.host.metrics.sum("sluice_headers_omitted_total")).toBe(1);
  });
});

describe("other forms", () => {
  it("a problem+json body says the same after RFC 9457", () => {
    const edge = new Edge({ policy: policy({ response: { body: "problem" } }) });
    const stream = edge.send(edge.sessionInTable({ tokens: 0 }));
    expect(header(stream, "content-type")).toBe("application/problem+json");
    expect(bodyOf(stream)).toMatchObject({ status: 429, code: "RATE_LIMIT_EXCEEDED" });
  });

  it("a spent budget differs from a limit, and promises no retry", () => {
    const edge = new Edge({ policy: policy({ plans: [REFILLING] }) });
    const waiting = edge.send(edge.newSession());
    edge.answerLive({ budgetSpent: true });
    expect(bodyOf(waiting)).toMatchObject({ error: { message: "Token budget of the session is spent" } });
    expect(waiting.status).toBe(429);
    expect(header(waiting, "retry-after")).toBeUndefined();
  });

  it("an unavailable limiter answers 503 LIMITER_UNAVAILABLE", () => {
    const edge = new Edge({ policy: policy({ onUnreachable: "deny" }) });
    const waiting = edge.send(edge.newSession());
    edge.callout.timeOut();
    expect(bodyOf(waiting)).toEqual({
      error: { code: "LIMITER_UNAVAILABLE", message: "Rate limiter is unavailable" },
    });
    expect(waiting.local?.details).toBe("sluice_unavailable");
  });
});

describe("a denied request", () => {
  it("a denied request writes nothing to shared data, whatever the reason", () => {
    const edge = new Edge();
    const empty = edge.sessionInTable({ tokens: 0 });
    const ended = edge.newSession();
    edge.send(ended);
    edge.callout.answer(200, endedAnswer("revoked"));
    let writes = 0;
    edge.host.hooks.each(
      "before",
      (call) => call.name === "proxy_set_shared_data",
      () => (writes += 1),
    );
    const tokens = [empty.token, ended.token, "invented", "", new Edge({ secret: "cd".repeat(32) }).newSession().token];
    expect(tokens.map((token) => edge.send(token).status)).toEqual([429, 401, 401, 401, 401]);
    expect(writes).toBe(0);
  });
});
