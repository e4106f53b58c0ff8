// Denied requests of gRPC and gRPC-Web clients: each gets its status and a sentence where its protocol has them.
import { describe, expect, it } from "vitest";
import * as contract from "../../../assembly/contract.js";
import { filterModule } from "../harness/builds/filter-modules.js";
import type { HeaderPairs } from "../harness/host/header-map.js";
import type { Stream } from "../harness/host/stream.js";
import { plan, policy } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";

const GRPC = "application/grpc";
const WEB = "application/grpc-web+proto";
const WEB_TEXT = "application/grpc-web-text+proto";

const as = (type: string, pairs: HeaderPairs): HeaderPairs => [...pairs, ["content-type", type]];
const without = (type: string): Stream => new Edge().worker(0).request(as(type, requestWith(undefined)));

/** What a client of gRPC reads: from the headers, or from the frame that ends a gRPC-Web answer. */
function outcome(stream: Stream): { code: number; message: string } {
  const type = stream.responseHeaders?.get("content-type");
  const trailers = type === GRPC ? stream.responseHeaders : webTrailers(stream, type);
  return { code: Number(trailers?.get("grpc-status")), message: trailers?.get("grpc-message") ?? "" };
}

function webTrailers(stream: Stream, type: string | undefined): Map<string, string> {
  const body = Buffer.from(stream.local?.body ?? "", type === WEB_TEXT ? "base64" : "latin1");
  if (type === WEB_TEXT) expect(body.toString("base64")).toBe(stream.local?.body);
  expect([body.readUInt8(0), body.readUInt32BE(1)]).toEqual([0x80, body.length - 5]);
  const lines = body.toString("latin1", 5).split("\r\n");
  expect(lines.pop()).toBe("");
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
}

function isAnsweredPlainly(type: string): void {
  const stream = without(type);
  expect(stream.status).toBe(401);
  expect(stream.responseHeaders?.get("content-type")).toBe("application/json");
  expect(stream.local?.body).toContain('"MISSING_SESSION"');
}

describe("a gRPC client", () => {
  it.each([
    [GRPC, GRPC],
    ["application/grpc+proto", GRPC],
    ["application/grpc+json", GRPC],
    ["application/grpc-web", WEB],
    ["application/grpc-web+proto", WEB],
    ["application/grpc-web+json", WEB],
    ["application/grpc-web;charset=utf-8", WEB],
    ["application/grpc-web ; charset=utf-8", WEB],
    ["Application/gRPC-Web+Proto", WEB],
    ["application/grpc-web-text", WEB_TEXT],
    ["application/grpc-web-text+proto; a=b", WEB_TEXT],
    ["APPLICATION/GRPC-WEB-TEXT", WEB_TEXT],
  ])("a gRPC client that sends %s is answered in kind", (type, answered) => {
    const stream = without(type);
    expect(stream).toMatchObject({ status: 200, reachedUpstream: false });
    expect(stream.responseHeaders?.get("content-type")).toBe(answered);
    expect(outcome(stream)).toEqual({ code: 16, message: "Session ID is required" });
    expect(stream.local?.details).toBe("sluice_missing_session");
  });

  it.each([
    "application/grpcfoo",
    "application/grpc-webfoo",
    "application/grpc-web-textfoo",
    "application/grpc-we",
    "application/grp",
    "application/json",
    "application/proto",
    "application/connect+proto",
    // Envoy takes neither for gRPC, and would not make the answer that a gRPC client reads.
    "Application/grpc",
    "application/grpc;charset=utf-8",
  ])("a client that sends %s is no gRPC client, and gets plain HTTP", isAnsweredPlainly);

  it("a client that sends a content type of 5,000 bytes gets plain HTTP", () => {
    isAnsweredPlainly(`${WEB};a=${"x".repeat(5000)}`);
  });

  it.each(["full", "lean"])("a gRPC client of the %s build reads a status and a sentence for each denial", (build) => {
    const module = filterModule(build === "lean" ? "lean" : "release");
    for (const type of [GRPC, WEB, WEB_TEXT]) {
      const edge = new Edge({ module, policy: policy({ onUnreachable: "deny", response: { body: "problem" } }) });
      const send = (token: string): Stream => edge.worker(0).request(as(type, requestWith(token)));
      expect(outcome(send("invented"))).toEqual({ code: 16, message: "Session is invalid or expired" });
      const limited = { code: 8, message: "Rate limit exceeded for session" };
      expect(outcome(send(edge.sessionInTable({ tokens: 0 }).token))).toEqual(limited);
      const spent = send(edge.newSession().token);
      edge.answerLive({ budgetSpent: true });
      expect(outcome(spent)).toEqual({ code: 8, message: "Token budget of the session is spent" });
      const unanswered = send(edge.newSession().token);
      edge.callout.timeOut();
      expect(outcome(unanswered)).toEqual({ code: 14, message: "Rate limiter is unavailable" });
    }
  });

  it.each([GRPC, WEB, WEB_TEXT])("a gRPC client that sends %s gets the same headers as another", (type) => {
    const plans = [plan({ maxTokens: 5, tokenRefillRate: 0.3 })];
    const edge = new Edge({ policy: policy({ plans }) });
    const { token } = edge.sessionInTable({ tokens: 0 });
    const limited = edge.worker(0).request(as(type, requestWith(token)));
    expect(limited.responseHeaders?.get("retry-after")).toBe("4");
    expect(limited.responseHeaders?.get("ratelimit")).toBe('"default";r=0;t=4');
    const challenge = edge
      .worker(0)
      .request(as(type, requestWith(undefined)))
      .responseHeaders?.get("www-authenticate");
    expect(challenge).toBe('Session realm="sluice", header="X-Session-ID"');
    const names = limited.responseHeaders?.pairs().map(([name]) => name) ?? [];
    expect(new Set(names).size).toBe(names.length);
  });

  it("a gRPC client reads each sentence as it is written: none has a character to be encoded", () => {
    const messages = Object.entries(contract).filter(([name]) => name.startsWith("MESSAGE_"));
    expect(messages.length).toBeGreaterThan(5);
    for (const [, message] of messages) expect(message).toMatch(/^[\x20-\x24\x26-\x7e]+$/);
  });
});
