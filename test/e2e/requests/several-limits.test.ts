// Several limits a session through a real Envoy with two workers: each exact, none charged for what another denied.
import type { ClientHttp2Session, OutgoingHttpHeaders } from "node:http2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drive } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf, type PolicyDocument, type PolicyRest } from "../harness/policy.js";
import { reported } from "../harness/settled.js";

const CONNECTIONS = 8;
/** Nothing refills, so that each token can be counted. */
const STILL = { tokenRefillRate: 0 };
const LIMITS = [
  { name: "daily", maxTokens: 700, ...STILL },
  { name: "reports", maxTokens: 30, ...STILL, applies: "routes" },
  { name: "search", maxTokens: 200, ...STILL, applies: "routes" },
] as const;
const ROUTES: PolicyRest = {
  routes: [
    { match: { prefix: "/search" }, limits: { search: 1 } },
    { match: { prefix: "/report" }, cost: 2, limits: { reports: 3 } },
  ],
};
const document: PolicyDocument = policyOf([{ name: "default", maxTokens: 1000, ...STILL, limits: LIMITS }], ROUTES);

const sluice = useInstallation({ policy: document });

let connections: ClientHttp2Session[] = [];
beforeAll(async () => {
  connections = await sluice().connect(CONNECTIONS);
});
afterAll(() => {
  for (const session of connections) session.close();
});

/** The paths in turn, `count` requests in all. */
function inTurn(token: string, paths: readonly string[], count: number): () => OutgoingHttpHeaders | null {
  let sent = 0;
  return () => {
    if (sent === count) return null;
    return { "x-session-id": token, ":path": paths[sent++ % paths.length] };
  };
}

/** How many requests of each path the service has got since it had got so many in all. */
function reachedSince(before: number, path: string): number {
  return sluice()
    .upstream.received.slice(before)
    .filter((request) => request.path.startsWith(path)).length;
}

describe("several limits under concurrent access", () => {
  it("each of three limits admits exactly what it holds, whatever the others deny", async () => {
    const { token, id } = await sluice().api.issue();
    const before = sluice().upstream.received.length;
    const mixed = await drive({ connections, inFlight: 16, next: inTurn(token, ["/search", "/report"], 14_000) });
    expect(mixed.failures).toEqual([]);
    // 200 searches; 10 reports, at 3 of 30: they leave 480 of `daily` and 780 of the plan's own.
    expect(reachedSince(before, "/search")).toBe(200);
    expect(reachedSince(before, "/report")).toBe(10);
    expect(mixed.statuses).toEqual({ 200: 210, 429: 13_790 });
    const plain = await drive({ connections, inFlight: 16, next: inTurn(token, ["/"], 6000) });
    expect(plain.failures).toEqual([]);
    expect(plain.statuses).toEqual({ 200: 480, 429: 5520 });
    // The plan's own, of which some is left, has paid for what passed, and for none that another limit denied.
    await reported(sluice(), id, 200 + 2 * 10 + 480);
  });

  it("a 429 names the limit that denied, and the service hears nothing of it", async () => {
    const { token } = await sluice().api.issue();
    for (let i = 0; i < 10; i++) expect((await sluice().send({ token, path: "/report" })).status).toBe(200);
    const before = sluice().upstream.received.length;
    const denied = await sluice().send({ token, path: "/report" });
    expect(denied.status).toBe(429);
    expect(JSON.parse(denied.body)).toMatchObject({ error: { code: "RATE_LIMIT_EXCEEDED", limit: "reports" } });
    expect(denied.headers["ratelimit"]).toBe('"reports";r=0');
    const policy = '"default";q=1000, "daily";q=700, "reports";q=30';
    expect(denied.headers["ratelimit-policy"]).toBe(policy);
    const allowed = await sluice().send({ token, path: "/" });
    expect(allowed.status).toBe(200);
    expect(allowed.headers["ratelimit"]).toBe('"daily";r=679');
    expect(sluice().upstream.received.length - before).toBe(1);
    const sample = 'sluice_requests_total{outcome="limited",plan="default",limit="reports"}';
    await expect.poll(() => sluice().envoyAdmin.sample(sample)).toBeGreaterThan(0);
  });
});

describe("a limit that is taken away and put back", () => {
  it("a limit that is put back holds what it held, on each worker", async () => {
    const { token } = await sluice().api.issue();
    const spent = await drive({ connections, inFlight: 4, next: inTurn(token, ["/"], 300) });
    expect(spent.statuses).toEqual({ 200: 300 });
    await sluice().changePolicy(policyOf([{ name: "default", maxTokens: 1000, ...STILL }]));
    const free = await drive({ connections, inFlight: 4, next: inTurn(token, ["/"], 100) });
    expect(free.statuses).toEqual({ 200: 100 });
    await sluice().changePolicy(document);
    const rest = await drive({ connections, inFlight: 4, next: inTurn(token, ["/"], 600) });
    expect(rest.failures).toEqual([]);
    expect(rest.statuses).toEqual({ 200: 400, 429: 200 });
  });
});
