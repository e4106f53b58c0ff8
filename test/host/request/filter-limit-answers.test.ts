// What a client, an access log and the metrics hear of several limits.
import { describe, expect, it } from "vitest";
import { plan, policy } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import { get, limit } from "../harness/scenes/limits.js";
import type { Stream } from "../harness/host/stream.js";
import type { Session } from "../harness/scenes/tokens.js";

const LIMITS = [
  limit("daily", 10_000, { refill: "10000/1d" }),
  limit("search", 20, { tokenRefillRate: 0.5, applies: "routes" }),
];
const PLAN = plan({ maxTokens: 100, tokenRefillRate: 10, limits: LIMITS });
const ROUTES = [{ match: { prefix: "/search" }, cost: 5, limits: { search: 4 } }];

const header = (stream: Stream, name: string): string | undefined => stream.responseHeaders?.get(name);

interface Start {
  readonly tokens?: number;
  readonly levels?: Readonly<Record<string, number>>;
  readonly policy?: object;
}

/** A session whose buckets hold these before the request that is tested. */
function start({ tokens = 100, levels = {}, ...rest }: Start = {}): { edge: Edge; session: Session } {
  const edge = new Edge({ policy: policy({ plans: [PLAN], routes: ROUTES, ...rest.policy }) });
  const session = edge.newSession();
  edge.send(session);
  const held = Object.entries({ daily: 10_000, ...levels }).map(([name, left]) => [name, left + 1]);
  edge.answerLive({
    tokens: tokens + 1,
    levels: { ...(Object.fromEntries(held) as Record<string, number>), ...search(levels) },
  });
  return { edge, session };
}

/** The first request of a session takes none from `search`. */
function search(levels: Readonly<Record<string, number>>): Record<string, number> {
  return levels["search"] === undefined ? {} : { search: levels["search"] };
}

describe("limit headers of a plan with several limits", () => {
  it("RateLimit-Policy lists what applied to the request, the plan's own limit first", () => {
    const { edge, session } = start();
    const own = '"default";q=100;w=10, "daily";q=10000;w=86400';
    expect(header(get(edge, session, "/"), "ratelimit-policy")).toBe(own);
    expect(header(get(edge, session, "/search"), "ratelimit-policy")).toBe(`${own}, "search";q=20;w=40`);
  });

  it("RateLimit says what the limit with the fewest requests left holds", () => {
    const { edge, session } = start({ levels: { daily: 40 } });
    expect(header(get(edge, session, "/"), "ratelimit")).toBe('"daily";r=39;t=9');
    expect(header(get(edge, session, "/search"), "ratelimit")).toBe('"search";r=16;t=2');
    const full = start();
    expect(header(get(full.edge, full.session, "/"), "ratelimit")).toBe('"default";r=98;t=1');
  });

  it("RateLimit says all that applied where the policy wants them", () => {
    const { edge, session } = start({ policy: { response: { limits: "all" } } });
    expect(header(get(edge, session, "/"), "ratelimit")).toBe('"default";r=98;t=1, "daily";r=9998;t=9');
    const all = '"default";r=93;t=1, "daily";r=9993;t=9, "search";r=16;t=2';
    expect(header(get(edge, session, "/search"), "ratelimit")).toBe(all);
  });

  it("the older headers speak of the tightest limit", () => {
    const { edge, session } = start({ levels: { daily: 30 }, policy: { response: { headers: "x-ratelimit" } } });
    const stream = get(edge, session, "/");
    const names = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit"];
    expect(names.map((name) => header(stream, name))).toEqual(["10000", "29", "86150", undefined]);
  });

  it("limit headers of a response are those of its own request, whatever came between", () => {
    const { edge, session } = start();
    const first = edge.worker(0).open(requestWith(session, "/"));
    const second = edge.worker(0).open(requestWith(session, "/search"));
    second.respond();
    first.respond();
    expect(header(first, "ratelimit")).toBe('"default";r=98;t=1');
    expect(header(second, "ratelimit")).toBe('"search";r=16;t=2');
  });
});

describe("a request that one of several limits denies", () => {
  it("a 429 names the limit in its body, its details and RateLimit", () => {
    const { edge, session } = start({ levels: { search: 1 } });
    const stream = get(edge, session, "/search");
    expect(stream.status).toBe(429);
    const error = { code: "RATE_LIMIT_EXCEEDED", message: "Rate limit exceeded for session", limit: "search" };
    expect(JSON.parse(stream.local?.body ?? "")).toEqual({ error });
    expect(stream.local?.details).toBe("sluice_limited_search");
    expect(header(stream, "ratelimit")).toBe('"search";r=1;t=2');
    expect(header(stream, "retry-after")).toBe("6");
  });

  it("a 429 of the plan's own limit is as without further ones", () => {
    const { edge, session } = start({ tokens: 2 });
    const stream = get(edge, session, "/search");
    expect(stream.local?.body).toBe(
      '{"error":{"code":"RATE_LIMIT_EXCEEDED","message":"Rate limit exceeded for session"}}',
    );
    expect(stream.local?.details).toBe("sluice_limited");
    expect(header(stream, "ratelimit")).toBe('"default";r=2;t=1');
  });

  it("a 429 as a problem document has the limit as a member", () => {
    const { edge, session } = start({ levels: { daily: 0 }, policy: { response: { body: "problem" } } });
    const body: unknown = JSON.parse(get(edge, session, "/").local?.body ?? "");
    expect(body).toMatchObject({ status: 429, code: "RATE_LIMIT_EXCEEDED", limit: "daily" });
  });

  it("a gRPC client's 429 names the limit in its details", () => {
    const { edge, session } = start({ levels: { daily: 0 } });
    const stream = edge.worker(0).request([...requestWith(session), ["content-type", "application/grpc"]]);
    expect(stream.local).toMatchObject({ details: "sluice_limited_daily", grpcStatus: 8 });
  });

  it("Retry-After is until all limits have what the request costs", () => {
    const { edge, session } = start({ tokens: 0, levels: { daily: 0, search: 2 } });
    const stream = get(edge, session, "/search");
    // default: 5 tokens at 10/s; search: 2 at 0.5/s; daily: 5 at one in 8.64 s.
    expect(header(stream, "retry-after")).toBe("44");
    expect(stream.local?.details).toBe("sluice_limited_daily");
    edge.clock.advanceMs(43_199);
    expect(get(edge, session, "/search").status).toBe(429);
    edge.clock.advanceMs(1);
    expect(get(edge, session, "/search").status).toBe(200);
  });

  it("Retry-After is left out where one limit never has it", () => {
    const plans = [plan({ maxTokens: 5, tokenRefillRate: 1, limits: [limit("once", 1)] })];
    const edge = new Edge({ policy: policy({ plans }) });
    const session = edge.sessionInTable();
    const stream = edge.send(session);
    expect(stream.local?.details).toBe("sluice_limited_once");
    expect(header(stream, "retry-after")).toBeUndefined();
  });

  it("the metrics and access logs name the limit that denied", () => {
    const { edge, session } = start({ levels: { search: 1 }, policy: { annotate: ["limit", "plan"] } });
    const denied = get(edge, session, "/search");
    expect(Object.fromEntries(denied.properties)).toMatchObject({ "sluice.plan": "default", "sluice.limit": "search" });
    get(edge, session, "/search");
    edge.flush();
    const { metrics } = edge.host;
    expect(metrics.sum('sluice_requests_total{outcome="limited",plan="default",limit="search"}')).toBe(2);
    expect(metrics.sum('outcome="limited"')).toBe(2);
  });

  it("shadow lets pass what one limit denies, says so by its name, and spends nothing", () => {
    const { edge, session } = start({ levels: { search: 1 }, policy: { enforcement: "shadow" } });
    const before = edge.table.record(session.id);
    const stream = get(edge, session, "/search");
    expect(stream.status).toBe(200);
    expect(header(stream, "ratelimit")).toBe('"search";r=1;t=2');
    edge.flush();
    const name = 'sluice_requests_total{outcome="shadow_limited",plan="default",limit="search"}';
    expect(edge.host.metrics.sum(name)).toBe(1);
    expect(edge.table.record(session.id)).toEqual(before);
  });
});
