// What a client reads of a lease: limit headers, and the limit that denied.
import { describe, expect, it } from "vitest";
import { Edge } from "../harness/scenes/edge.js";
import { answerLeases, fleetPolicy, leaseOf } from "../harness/scenes/leases.js";
import { get, leftOf, limit } from "../harness/scenes/limits.js";

const DAILY = limit("daily", 50, { refill: "50/1d" });
const SEARCH = limit("search", 20, { applies: "routes" });
const ROUTES = [{ match: { path: "/search" }, limits: { search: 4 } }];
const TWO = { tokenRefillRate: 10, limits: [DAILY, SEARCH] };

function withLease(
  tokens: Record<string, number>,
  response: object = {},
): { edge: Edge; first: ReturnType<Edge["send"]>; session: ReturnType<Edge["newSession"]> } {
  const edge = new Edge({ policy: fleetPolicy(TWO, { routes: ROUTES, response }) });
  const session = edge.newSession();
  const first = edge.send(session);
  edge.answerLive({ tokens: 0, lease: leaseOf(1, { tokens }) });
  return { edge, session, first };
}

describe("the limit headers under a fleet plan", () => {
  it("RateLimit says what is left of this Envoy's lease, RateLimit-Policy what the budget is", () => {
    const { first } = withLease({ "": 8, daily: 3 });
    expect(first.responseHeaders?.get("ratelimit")).toBe('"daily";r=2');
    expect(first.responseHeaders?.get("ratelimit-policy")).toBe('"default";q=100;w=10, "daily";q=50;w=86400');
  });

  it("a fleet plan with one bucket has headers of that", () => {
    const edge = new Edge({ policy: fleetPolicy({ tokenRefillRate: 10 }, { response: { headers: "both" } }) });
    const stream = edge.send(edge.newSession());
    edge.answerLive({ tokens: 0, lease: leaseOf(1, { tokens: { "": 8 } }) });
    const headers = [
      "ratelimit",
      "ratelimit-policy",
      "x-ratelimit-limit",
      "x-ratelimit-remaining",
      "x-ratelimit-reset",
    ];
    expect(headers.map((name) => stream.responseHeaders?.get(name))).toEqual([
      ...['"default";r=7', '"default";q=100;w=10', "100", "7", undefined],
    ]);
  });

  it("a request takes from the leases of all its limits, or from none", () => {
    const { edge, session } = withLease({ "": 8, daily: 8, search: 5 });
    expect(get(edge, session, "/search").status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([6, 6, 1]);
    edge.clock.advanceMs(60);
    const waiting = get(edge, session, "/search");
    expect(waiting.paused).toBe(true);
    expect(leftOf(edge, session, 2)).toEqual([6, 6, 1]);
    expect(edge.send(session).status, "it takes nothing from search").toBe(200);
  });

  it("a 429 names the limit that was refused, also where another one is dry here", () => {
    const { edge, session } = withLease({ "": 1, daily: 1 });
    edge.clock.advanceMs(60);
    const refused = edge.send(session);
    answerLeases(edge, { refused: { limit: "daily", retryAfter: 90_000 } });
    for (const stream of [refused, edge.send(session)]) {
      expect(stream.status).toBe(429);
      expect(stream.responseHeaders?.get("retry-after")).toBe("90");
      expect(JSON.parse(stream.local?.body ?? "")).toMatchObject({ error: { limit: "daily" } });
    }
    edge.flush();
    expect(edge.host.metrics.sum("sluice_requests_total", 'limit="daily"')).toBe(2);
    expect(edge.leases).toHaveLength(1);
  });

  it("requests of no cost pass without a lease", () => {
    const routes = [{ match: { path: "/free" }, cost: 0 }];
    const edge = new Edge({ policy: fleetPolicy({}, { routes }) });
    const session = edge.newSession();
    edge.send(session);
    edge.answerLive({ tokens: 0, lease: leaseOf(1, { refused: { limit: "", retryAfter: 60_000 } }) });
    expect(get(edge, session, "/free").status).toBe(200);
    expect(edge.send(session).status).toBe(429);
    expect(edge.leases).toEqual([]);
  });
});
