// What a route makes of a request: its cost, its exemption, and which requests have it.
import { describe, expect, it } from "vitest";
import { MAX_MATCHED_BYTES, TICK_MS } from "../../../assembly/contract.js";
import { liveAnswer, plan, policy } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { edgeFollowing, newestWatch, offer } from "../harness/scenes/policy-offer.js";
import {
  costOf,
  headersOf,
  hostCallsOf,
  levelOf,
  outcomes,
  sendRouted,
  type RoutedRequest,
} from "../harness/scenes/routed-requests.js";

const edgeWith = (...routes: readonly object[]): Edge => new Edge({ policy: policy({ routes }) });
const SEARCH = { match: { prefix: "/search" }, cost: 4 };
const HEALTH = { match: { prefix: "/healthz" }, exempt: true };

describe("what a route costs", () => {
  it("a request takes its route's cost from the bucket, and 1 where no route matches", () => {
    const edge = edgeWith(SEARCH, { match: { template: "/users/{id}/export" }, cost: 3 });
    const session = edge.sessionInTable();
    const costs = ["/search", "/searches", "/users/7/export?full=1"].map((path) => costOf(edge, session, { path }));
    expect(costs).toEqual([4, 1, 3]);
    expect(sendRouted(edge, { path: "/search/x", session }).status).toBe(429);
    expect(sendRouted(edge, { path: "/", session }).status).toBe(200);
    edge.flush();
    // And 1 with which the session came.
    expect(edge.host.metrics.sum("sluice_tokens_spent_total")).toBe(10);
  });

  it("Retry-After of a route's 429 is until its whole cost is there", () => {
    const edge = new Edge({ policy: policy({ plans: [plan({ tokenRefillRate: 1 })], routes: [SEARCH] }) });
    const session = edge.sessionInTable({ tokens: 1 });
    expect(sendRouted(edge, { path: "/search", session }).local?.headers.get("retry-after")).toBe("3");
  });

  it("a denial of a dear route says nothing of a cheap one", () => {
    const edge = edgeWith(SEARCH);
    const session = edge.sessionInTable({ tokens: 2 });
    const statuses = ["/search", "/search", "/", "/search"].map((path) => sendRouted(edge, { path, session }).status);
    expect(statuses).toEqual([429, 429, 200, 429]);
    expect(levelOf(edge, session)).toBe(1);
  });

  it("a cost of 0 checks the session, spends nothing and is never limited", () => {
    const edge = edgeWith({ match: { path: "/free" }, cost: 0 });
    const empty = edge.sessionInTable({ tokens: 0 });
    expect(sendRouted(edge, { session: empty }).status).toBe(429);
    expect(sendRouted(edge, { path: "/free", session: empty }).status).toBe(200);
    const spent = edge.newSession();
    edge.send(spent);
    edge.answerLive({ tokens: 5, budgetSpent: true });
    expect(sendRouted(edge, { session: spent }).status).toBe(429);
    expect(sendRouted(edge, { path: "/free", session: spent }).status).toBe(200);
    expect(levelOf(edge, spent)).toBe(5);
    expect(sendRouted(edge, { path: "/free" }).status).toBe(401);
    expect(sendRouted(edge, { path: "/free", session: "invented" }).status).toBe(401);
  });

  it("a request that waits for its session keeps what its route said", () => {
    const edge = edgeWith(SEARCH);
    const session = edge.newSession();
    const waiting = sendRouted(edge, { path: "/search", session });
    sendRouted(edge, HEALTHY);
    edge.answerLive({ tokens: 10 });
    expect(waiting.status).toBe(200);
    expect(levelOf(edge, session)).toBe(6);
  });

  it("a request that waited while the policy changed pays by the routes of the new one", () => {
    const edge = edgeFollowing(policy({ routes: [SEARCH] }), 1);
    const session = edge.newSession();
    const waiting = sendRouted(edge, { path: "/search", session });
    offer(newestWatch(edge), policy({ routes: [{ ...SEARCH, cost: 7 }] }), { generation: 2 });
    edge.passMs(TICK_MS);
    edge.answerLive({ tokens: 10 });
    expect(waiting.status).toBe(200);
    expect(levelOf(edge, session)).toBe(3);
  });

  it("a request that waited while the policy lost its routes costs 1", () => {
    const edge = edgeFollowing(policy({ routes: [{ ...SEARCH, enforcement: "observe" }] }), 1);
    const sessions = [edge.newSession(), edge.newSession()];
    const [rich, poor] = sessions.map((session) => sendRouted(edge, { path: "/search", session }));
    offer(newestWatch(edge), policy(), { generation: 2 });
    edge.passMs(TICK_MS);
    const [first, second] = edge.pendingAcquires;
    first?.answer(200, liveAnswer({ tokens: 10 }));
    second?.answer(200, liveAnswer({ tokens: 0 }));
    expect([rich?.status, poor?.status]).toEqual([200, 429]);
    expect(sessions.map((session) => levelOf(edge, session))).toEqual([9, 0]);
  });
});

const HEALTHY: RoutedRequest = { path: "/healthz" };

describe("an exempt route", () => {
  it("an exempt request needs no token, whatever it carries, and is counted as exempt", () => {
    const edge = edgeWith(HEALTH);
    const session = edge.sessionInTable({ tokens: 0 });
    const statuses = [undefined, "invented", session].map((of) => sendRouted(edge, { ...HEALTHY, session: of }).status);
    expect(statuses).toEqual([200, 200, 200]);
    expect(outcomes(edge)).toEqual({ allowed: 1, exempt: 3 });
    expect(edge.acquires).toHaveLength(1);
  });

  it("an exempt request costs one host call: its path", () => {
    const edge = edgeWith(HEALTH);
    const calls = hostCallsOf(edge);
    sendRouted(edge, HEALTHY);
    expect(calls).toEqual(["proxy_get_header_map_value"]);
  });

  it("an exempt request has no limit headers", () => {
    expect(sendRouted(edgeWith(HEALTH), HEALTHY).responseHeaders?.get("ratelimit")).toBeUndefined();
  });

  const ambiguous = [
    "/healthz//admin",
    "/healthz/./admin",
    "/healthz/../admin",
    "/healthz/%2e%2E/admin",
    "/healthz/..%2fadmin",
    "/healthz%2F..%2fadmin",
    "/healthz/..%5Cadmin",
    "/healthz/..\\admin",
    "/healthz/..;/admin",
    "/healthz/..;a=b/admin",
    "/healthz/..",
    "/healthz/.",
    "/healthz/..?a=b",
    "//healthz",
    "/healthz/..%3b/admin",
    "/healthz/..%20/admin",
    "/healthz/..%00/admin",
    "/healthz/..%252fadmin",
    "/healthz/%252E%252e/admin",
    "/healthz/%c0%ae%C0%ae/admin",
    "/healthz/%u002e%u002e/admin",
    "/admin%3f/healthz",
    "/admin%23/healthz",
    "/admin%3B/healthz",
    "/admin%00/healthz",
    "/healthz%",
    "/healthz%2",
    "/healthz/.\t./admin",
    "/healthz/\x7f",
    "/healthz/\xc0\xae\xc0\xae/admin",
    "/healthz#/admin",
  ];
  it.each(ambiguous)("no route exempts %s, which a service may read as another path", (path) => {
    const edge = edgeWith({ match: { prefix: "/" }, exempt: true });
    expect(sendRouted(edge, { path }).status).toBe(401);
  });

  it.each(ambiguous)("no route that is off lets %s pass without a session", (path) => {
    const match = { prefix: "/", hosts: ["off.test"] };
    const edge = edgeWith({ match, enforcement: "off" }, { match, cost: 3 });
    expect(sendRouted(edge, { path: "/a%20b", host: "off.test" }).status).toBe(200);
    expect(sendRouted(edge, { path, host: "off.test" }).status).toBe(401);
    expect(costOf(edge, edge.sessionInTable(), { path, host: "off.test" })).toBe(3);
  });

  const plain = [
    "/healthz",
    "/healthz/",
    "/healthz?next=//a/../b%2f",
    "/healthz/...",
    "/healthz/.well-known",
    "/%41",
    "/a%20b%C3%a9;c=1",
  ];
  it.each(plain)("an exempt route takes %s, which has one reading", (path) => {
    expect(sendRouted(edgeWith({ match: { prefix: "/" }, exempt: true }), { path }).status).toBe(200);
  });

  it("a path that no exempt route takes has the next route that matches", () => {
    const edge = edgeWith(HEALTH, { match: { prefix: "/healthz" }, cost: 5 });
    const session = edge.sessionInTable();
    expect(costOf(edge, session, { path: "/healthz/../admin" })).toBe(5);
    expect(costOf(edge, session, { path: "/healthz/live" })).toBe(0);
  });
});

describe("which requests a route takes", () => {
  interface Case {
    readonly of: string;
    readonly match: object;
    readonly takes: readonly RoutedRequest[];
    readonly leaves: readonly RoutedRequest[];
  }
  const cases: readonly Case[] = [
    {
      of: "hosts",
      match: { hosts: ["api.example.com", "*.Wide.example.com", "[::1]"] },
      takes: [
        "api.example.com",
        "API.example.com:8443",
        "a.wide.EXAMPLE.com.",
        "b.a.wide.example.com:1",
        "[::1]:80",
      ].map((host) => ({ host })),
      leaves: ["example.com", "xapi.example.com", "wide.example.com", "[::2]", "", null, `${"a".repeat(70_000)}.b`].map(
        (host) => ({ host }),
      ),
    },
    {
      of: "methods",
      match: { methods: ["POST", "CONNECT"] },
      takes: [{ method: "POST" }, { method: "CONNECT", path: null }],
      leaves: [{ method: "GET" }, { method: "post" }, { method: "POSTS" }],
    },
    {
      of: "headers",
      match: { headers: [{ name: "X-Batch" }, { name: "x-tier", value: "gold" }] },
      takes: [{ headers: { "x-batch": "", "x-tier": "gold" } }],
      leaves: [
        { headers: { "x-tier": "gold" } },
        { headers: { "x-batch": "1" } },
        { headers: { "x-batch": "1", "x-tier": "gold2" } },
        { headers: { "x-batch": "1", "x-tier": "gold".repeat(100) } },
      ],
    },
    {
      of: "a path",
      match: { path: "/a" },
      takes: [{ path: "/a" }, { path: "/a?b" }],
      leaves: [{ path: "/a/" }, { path: "/A" }, { path: "/%61" }, { path: "*" }, { path: null }],
    },
    {
      of: "all conditions together",
      match: { prefix: "/a", methods: ["PUT"], hosts: ["h.test"], headers: [{ name: "x-a" }] },
      takes: [{ path: "/a/b", method: "PUT", host: "h.test:80", headers: { "x-a": "1" } }],
      leaves: [
        { path: "/b", method: "PUT", host: "h.test", headers: { "x-a": "1" } },
        { path: "/a", method: "GET", host: "h.test", headers: { "x-a": "1" } },
        { path: "/a", method: "PUT", host: "i.test", headers: { "x-a": "1" } },
        { path: "/a", method: "PUT", host: "h.test" },
      ],
    },
  ];

  it.each(cases)("a route by $of takes the requests that it names, and no others", ({ match, takes, leaves }) => {
    const edge = edgeWith({ match, cost: 2 });
    for (const [requests, cost] of [[takes, 2] as const, [leaves, 1] as const]) {
      for (const request of requests) {
        expect(costOf(edge, edge.sessionInTable(), request), JSON.stringify(request).slice(0, 100)).toBe(cost);
      }
    }
  });

  it("a header that a request has twice is compared by its first value", () => {
    const edge = edgeWith({ match: { headers: [{ name: "x-tier", value: "gold" }] }, cost: 2 });
    const session = edge.sessionInTable();
    const costs = ["gold", "free"].map((first) => {
      const before = levelOf(edge, session);
      const twice = [first, first === "gold" ? "free" : "gold"].map((value) => ["x-tier", value] as const);
      edge.worker(0).request([...headersOf({ session }), ...twice]);
      return before - levelOf(edge, session);
    });
    expect(costs).toEqual([2, 1]);
  });

  it("a CONNECT has no path, and matches no route that names one", () => {
    const edge = edgeWith({ match: { prefix: "/" }, exempt: true });
    expect(sendRouted(edge, { method: "CONNECT", path: null, host: "db.test:5432" }).status).toBe(401);
  });

  it("a long query does not take a request out of its route", () => {
    const edge = edgeWith(SEARCH);
    const session = edge.sessionInTable();
    expect(costOf(edge, session, { path: `/search?${"q".repeat(60_000)}` })).toBe(4);
  });

  it("a path longer than the filter reads matches no route that names one, and none exempts it", () => {
    const edge = edgeWith({ match: { prefix: "/search" }, cost: 4 }, { match: { methods: ["PUT"] }, exempt: true });
    const path = `/search?${"q".repeat(MAX_MATCHED_BYTES)}`;
    expect(costOf(edge, edge.sessionInTable(), { path })).toBe(1);
    expect(sendRouted(edge, { path, method: "PUT" }).status).toBe(401);
    expect(sendRouted(edge, { path: "/", method: "PUT" }).status).toBe(200);
  });

  it("only what routes name is read of a request", () => {
    const reads = (...routes: object[]): number => {
      const edge = edgeWith(...routes);
      const calls = hostCallsOf(edge);
      sendRouted(edge, { path: "/x", headers: { "x-a": "2" } });
      return calls.filter((name) => name === "proxy_get_header_map_value").length;
    };
    // The token, and the content type of an answer.
    expect(reads()).toBe(2);
    expect(reads({ match: { path: "/a" } })).toBe(3);
    expect(reads({ match: { methods: ["PUT"] } })).toBe(3);
    expect(reads({ match: { hosts: ["a.test"] } })).toBe(3);
    expect(reads({ match: { path: "/a", headers: [{ name: "x-a" }] } })).toBe(3);
    expect(reads({ match: { path: "/x", headers: [{ name: "x-a", value: "1" }] } })).toBe(4);
    const both = ["1", "3"].map((value) => ({ match: { path: "/x", headers: [{ name: "x-a", value }] } }));
    expect(reads(...both)).toBe(4);
  });
});
