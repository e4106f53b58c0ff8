// Routes and enforcement through a real Envoy: what a request costs, what is exempt, and what passes that is counted.
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { ask, openHttp2 } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf, type PolicyDocument, type PolicyRest, type Route } from "../harness/policy.js";
import { exchange } from "../harness/raw-http1.js";

const ROUTES: readonly Route[] = [
  { match: { prefix: "/healthz" }, exempt: true },
  { match: { template: "/users/{id}/export", methods: ["POST"] }, cost: 20 },
  { match: { prefix: "/search", hosts: ["api.example.com", "*.wide.example.com", "[::1]"] }, cost: 5 },
  { match: { path: "/batch", headers: [{ name: "x-batch", value: "1" }] }, cost: 7 },
  { match: { prefix: "/free" }, cost: 0 },
  { match: { prefix: "/internal" }, enforcement: "off" },
];
const policyWith = (rest: PolicyRest = {}): PolicyDocument =>
  policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0 }], { routes: ROUTES, ...rest });

/** Paths come to the filter as the client wrote them: what is ambiguous is the filter's to see. */
const asWritten = (bootstrap: string): string =>
  bootstrap
    .replace("normalize_path: true", "normalize_path: false")
    .replace("merge_slashes: true", "merge_slashes: false");

const sluice = useInstallation({ policy: policyWith(), bootstrap: asWritten });

/** What a session has left after a request. */
async function left(
  token: string,
  path: string,
  method = "GET",
  headers: Record<string, string> = {},
): Promise<number> {
  const answer = await sluice().send({ token, path, method, headers });
  return Number(/r=(\d+)/.exec(String(answer.headers.ratelimit))?.[1]);
}

/** The status of a request without a session, written by the byte. */
async function statusOf(path: string): Promise<number> {
  const head = `GET ${path} HTTP/1.1\r\nhost: sluice\r\nconnection: close\r\n\r\n`;
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await exchange(sluice().ports.proxy, head))?.[1]);
}

async function counted(outcome: string, plan = ""): Promise<number> {
  return sluice().envoyAdmin.sample(`sluice_requests_total{outcome="${outcome}"${plan}}`);
}

describe("a request of a route", () => {
  it("a route takes its cost: by template and method, by host, by header", async () => {
    const { token } = await sluice().api.issue();
    expect(await left(token, "/")).toBe(99);
    expect(await left(token, "/users/7/export", "POST")).toBe(79);
    expect(await left(token, "/users/7/export")).toBe(78);
    expect(await left(token, "/batch", "GET", { "x-batch": "1" })).toBe(71);
    expect(await left(token, "/batch", "GET", { "x-batch": "2" })).toBe(70);
    expect(await left(token, "/free")).toBe(70);
  });

  it("a route's hosts are matched whatever their port and case", async () => {
    const { token } = await sluice().api.issue();
    const hosts = ["API.example.com:8443", "a.b.Wide.example.com", "[::1]:8080", "wide.example.com", "example.com"];
    const levels: number[] = [];
    for (const host of hosts) levels.push(await left(token, "/search?q=1", "GET", { host }));
    expect(levels).toEqual([95, 90, 85, 84, 83]);
  });

  it("a route's host is the authority over HTTP/2 too", async () => {
    const { token } = await sluice().api.issue();
    const session = await openHttp2(sluice().ports.proxy);
    await ask(session, { ":path": "/search", ":authority": "api.example.com:443", "x-session-id": token });
    await ask(session, { ":path": "/search", host: "API.example.com", "x-session-id": token });
    session.close();
    expect(await left(token, "/")).toBe(89);
  });

  it("a query of 50 KB does not take a request out of its route", async () => {
    const { token } = await sluice().api.issue();
    expect(await left(token, `/search?${"q".repeat(50_000)}`, "GET", { host: "api.example.com" })).toBe(95);
  });
});

describe("an exempt route", () => {
  it("an exempt request reaches the service without a session, and is counted", async () => {
    const before = await counted("exempt");
    expect([await statusOf("/healthz"), await statusOf("/healthz/ready?a=//b")]).toEqual([200, 200]);
    await until(async () => {
      expect(await counted("exempt")).toBe(before + 2);
    });
  });

  const ambiguous = [
    "/..",
    "/../admin",
    "/./x",
    "//x",
    "/..%2fadmin",
    "/%2E%2e/admin",
    "/..%5cadmin",
    "/..;/admin",
    "/..%3b/admin",
    "/..%252fadmin",
  ];
  it.each(ambiguous)(
    "a path that a service may read as another is neither exempt nor off: /healthz%s",
    async (rest) => {
      expect([await statusOf(`/healthz${rest}`), await statusOf(`/internal${rest}`)]).toEqual([401, 401]);
    },
  );

  it("a path with a fragment, a control character or no slash never gets to the service", async () => {
    const paths = ["/healthz#/../admin", "/healthz/.\t./admin", "/healthz/\x7f", "healthz", "*"];
    for (const path of paths) expect(await statusOf(path)).toBe(400);
    // In absolute form the path is what stands behind the host.
    expect(await statusOf("http://sluice/healthz")).toBe(200);
    expect(await statusOf("http://sluice/healthz/../admin")).toBe(401);
  });

  it("a backslash in a path is not exempt, whether Envoy takes it or not", async () => {
    expect(await statusOf("/healthz/..\\admin")).toBeGreaterThanOrEqual(400);
  });

  it("a CONNECT has no path, so that no route by path exempts it", async () => {
    const everything = [{ match: { prefix: "/" }, exempt: true }];
    await sluice().changePolicy(policyWith({ routes: everything }));
    const session = await openHttp2(sluice().ports.proxy);
    expect(await ask(session, { ":path": "/" })).toBe(200);
    expect(await ask(session, { ":method": "CONNECT", ":authority": "db.example.com:5432" })).toBe(401);
    await sluice().changePolicy(policyWith({ routes: [{ match: { methods: ["CONNECT"] }, exempt: true }] }));
    // The filter lets it through, and Envoy has no route for it.
    expect(await ask(session, { ":method": "CONNECT", ":authority": "db.example.com:5432" })).toBe(404);
    session.close();
    await sluice().changePolicy(policyWith());
  });
});

describe("enforcement", () => {
  it("a route that is off passes whoever sends it, and counts nothing", async () => {
    const before = await sluice().envoyAdmin.samples();
    const statuses = [
      await sluice().send({ path: "/internal" }),
      await sluice().send({ path: "/internal", token: "x" }),
    ];
    expect(statuses.map(({ status }) => status)).toEqual([200, 200]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const requests = (samples: ReadonlyMap<string, number>): [string, number][] =>
      [...samples].filter(([name]) => name.startsWith("sluice_requests_total"));
    expect(requests(await sluice().envoyAdmin.samples())).toEqual(requests(before));
  });

  it("a request above the limit reaches the service under shadow, with the headers of the 429", async () => {
    await sluice().changePolicy(policyWith({ enforcement: "shadow" }));
    const { token } = await sluice().api.issue();
    await left(token, "/users/7/export", "POST");
    for (let taken = 20; taken < 100; taken += 20) await left(token, "/users/7/export", "POST");
    const passed = await sluice().send({ token, path: "/users/7/export", method: "POST" });
    expect(passed.status).toBe(200);
    expect(passed.headers).toMatchObject({ ratelimit: '"default";r=0', "ratelimit-policy": '"default";q=100' });
    expect((await sluice().send()).status).toBe(401);
    await until(async () => {
      expect(await counted("shadow_limited", ',plan="default",limit="default"')).toBe(1);
    });
  });

  it("traffic without any session reaches the service under observe, and is counted", async () => {
    await sluice().changePolicy(policyWith({ enforcement: "observe" }));
    const answers = [await sluice().send(), await sluice().send({ token: "invented" })];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const { token } = await sluice().api.issue();
    expect(await left(token, "/")).toBe(99);
    await until(async () => {
      expect([await counted("shadow_missing"), await counted("shadow_invalid")]).toEqual([1, 1]);
    });
  });

  it("a plan's enforcement holds for its sessions alone", async () => {
    const plans = [
      { name: "default", maxTokens: 1, tokenRefillRate: 0 },
      { name: "watched", maxTokens: 1, tokenRefillRate: 0, enforcement: "shadow" as const },
      { name: "inside", maxTokens: 1, tokenRefillRate: 0, enforcement: "off" as const },
    ];
    await sluice().changePolicy(policyOf(plans));
    const statuses = await Promise.all(
      plans.map(async ({ name }) => sluice().statuses((await sluice().api.issue(name)).token, 3)),
    );
    expect(statuses).toEqual([
      [200, 429, 429],
      [200, 200, 200],
      [200, 200, 200],
    ]);
  });
});
