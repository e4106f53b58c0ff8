// Limit headers that the service sets itself: replaced by ours, or kept in place of ours, and never both.
import { describe, expect, it } from "vitest";
import { plan, policy } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import type { HeaderPairs } from "../harness/host/header-map.js";

const REFILLING = plan({ maxTokens: 100, tokenRefillRate: 10 });
const NEVER_REFILLING = plan({ maxTokens: 100 });
const LIMIT_HEADER = /ratelimit|retry-after/;

/** The limit headers of an answer to which the service has added its own. */
function answered(response: object, limits: object, ofService: HeaderPairs): HeaderPairs {
  const edge = new Edge({ policy: policy({ plans: [limits], response }) });
  const session = edge.sessionInTable({ tokens: 60 });
  const stream = edge.worker(0).open(requestWith(session));
  stream.respond([[":status", "200"], ["content-type", "text/plain"], ...ofService]);
  return [...(stream.responseHeaders?.pairs() ?? [])].filter(([name]) => LIMIT_HEADER.test(name)).sort();
}

const DRAFT: HeaderPairs = [
  ["ratelimit", '"default";r=59;t=1'],
  ["ratelimit-policy", '"default";q=100;w=10'],
];
const OLDER: HeaderPairs = [
  ["x-ratelimit-limit", "100"],
  ["x-ratelimit-remaining", "59"],
  ["x-ratelimit-reset", "5"],
];
const OF_SERVICE: HeaderPairs = [
  ["ratelimit", '"service";r=1'],
  ["retry-after", "7"],
  ["x-ratelimit-limit", "3"],
  ["x-ratelimit-remaining", "2"],
  ["x-ratelimit-reset", "1"],
];
const without = (names: RegExp): HeaderPairs => OF_SERVICE.filter(([name]) => !names.test(name));

describe("limit headers that the service sets itself", () => {
  it.each([
    ["draft", [...DRAFT, ...without(/^ratelimit/)]],
    ["x-ratelimit", [...without(/^x-/), ...OLDER]],
    ["both", [...DRAFT, ["retry-after", "7"], ...OLDER]],
    ["none", OF_SERVICE],
  ])("headers of the names that %s sets are replaced, and others pass", (headers, expected) => {
    expect(answered({ headers }, REFILLING, OF_SERVICE)).toEqual(expected);
  });

  it("a header that the service sets three times is ours alone", () => {
    const thrice: HeaderPairs = ["a", "b", "c"].map((value) => ["RateLimit", value]);
    expect(answered({ headers: "draft" }, REFILLING, thrice)).toEqual(DRAFT);
  });

  it("a reset that ours has no word for is not left beside ours", () => {
    const sent = answered({ headers: "x-ratelimit" }, NEVER_REFILLING, OF_SERVICE);
    expect(sent).toEqual([...without(/^x-/), ["x-ratelimit-limit", "100"], ["x-ratelimit-remaining", "59"]]);
  });

  it.each([
    ["draft", "ratelimit"],
    ["draft", "ratelimit-policy"],
    ["x-ratelimit", "x-ratelimit-limit"],
    ["x-ratelimit", "x-ratelimit-remaining"],
    ["x-ratelimit", "x-ratelimit-reset"],
    ["both", "ratelimit"],
    ["both", "x-ratelimit-reset"],
  ])("ours of the form %s stand down under keep where the service sets %s", (headers, name) => {
    const own: HeaderPairs = [[name, "1"]];
    expect(answered({ headers, upstreamHeaders: "keep" }, REFILLING, own)).toEqual(own);
  });

  it.each([
    ["draft", [["x-ratelimit-limit", "3"]], [...DRAFT, ["x-ratelimit-limit", "3"]]],
    ["x-ratelimit", [["ratelimit", "1"]], [["ratelimit", "1"], ...OLDER]],
    ["both", [], [...DRAFT, ...OLDER]],
  ] as [string, HeaderPairs, HeaderPairs][])(
    "ours of the form %s are set under keep where the service sets none of them",
    (headers, own, expected) => {
      expect(answered({ headers, upstreamHeaders: "keep" }, REFILLING, own)).toEqual(expected);
    },
  );

  it("a denial has ours under keep as well", () => {
    const edge = new Edge({ policy: policy({ response: { upstreamHeaders: "keep" } }) });
    const denied = edge.send(edge.sessionInTable({ tokens: 0 }));
    expect(denied.status).toBe(429);
    expect(denied.responseHeaders?.get("ratelimit")).toBe('"default";r=0');
  });
});
