// Two thousand changes of the policy while requests are served: none fails, no session's level is lost, that of a limit that
// comes and goes neither, each request that settles has paid what it cost, and the memory of Envoy and of the filter does not
// grow.
import { expect, it } from "vitest";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../control-plane/test/support/until.js";
import { ask } from "../e2e/harness/http2-load.js";
import { withHttp2Upstream } from "../e2e/harness/grpc.js";
import { useInstallation } from "../e2e/harness/installation.js";
import { guestBytes, residentBytes } from "../e2e/harness/memory.js";
import { type Limit, type Plan, policyOf, type PolicyRest, type Route } from "../e2e/harness/policy.js";
import { UsageUpstream } from "../e2e/harness/usage-upstream.js";

const CHANGES = 2000;
/** Until then memory may grow: pools and heaps fill. */
const WARM = 100;
const IDLE_SESSIONS = 50;
const SPENT = 7;
/** Of the idle sessions, those that spend nothing while the limit is away; the others spend one token. */
const AWAY = 25;
/** Of each of four clients, after each answer: a load that leaves the changes some of two cores. */
const PAUSE_MS = 2;
const MB = 1_000_000;
const SPENDER: Plan = { name: "spender", maxTokens: 9_000_000, tokenRefillRate: 0 };
const IDLE: Plan = { name: "idle", maxTokens: 100, tokenRefillRate: 0 };
/** In every second policy, of all plans that are in use. */
const EXTRA: Limit = { name: "extra", maxTokens: 9_000_000, tokenRefillRate: 0 };
const CHATTER: Plan = {
  ...{ name: "chatter", maxTokens: 9_000_000, tokenRefillRate: 0 },
  limits: [{ name: "llm", maxTokens: 9_000_000, tokenRefillRate: 0, applies: "routes" }],
};
/** Of what each response says its request cost, rounded up: one token, whichever it is. */
const TIMES = [1, 0.5, 0.25];
const CHAT = "/header?cost=1";
const PEEK: Route = { match: { path: "/peek" }, cost: 0, limits: { llm: 0 } };
/** Of no request of this test, but each is looked at for them. */
const ROUTES: readonly Route[] = [
  { match: { path: "/healthz" }, exempt: true },
  { match: { template: "/v1/{thing}/export" }, cost: 5, limits: { extra: 7 } },
];
const RESTS: readonly PolicyRest[] = [
  {},
  { response: { headers: "both" } },
  { response: { body: "problem" } },
  { response: { headers: "none" } },
  { token: { from: [{ authorization: "Bearer" }, { cookie: "session" }, { header: "x-session-id" }], identity: true } },
  { annotate: ["session", "plan", "decision", "limit"], token: { forward: false } },
  { enforcement: { shadow: 50 } },
];

/** Whether a policy has the limit that comes and goes. */
const hasExtra = (n: number): boolean => n % 2 === 1;

/** Never the one before: other headers, other bodies, routes or none, other and more plans; those in use stay as they are. */
function nth(n: number): ReturnType<typeof policyOf> {
  const more = Array.from({ length: n % 20 }, (_, i) => ({
    ...{ name: `more-${i}`, maxTokens: 10 + n, tokenRefillRate: 1 },
  }));
  const limits = hasExtra(n) ? [EXTRA] : [];
  const routes = [...(hasExtra(n) ? ROUTES : []), chatRoute(TIMES[n % TIMES.length] ?? 1)];
  return policyOf([{ ...SPENDER, limits }, { ...IDLE, limits }, CHATTER, ...more], {
    ...RESTS[n % RESTS.length],
    routes,
  });
}

function chatRoute(times: number): Route {
  return { match: { prefix: "/header" }, limits: { llm: 10 }, settle: { limit: "llm", header: "x-cost", times } };
}

const upstream = new UsageUpstream();
const sluice = useInstallation({
  filter: "sluice-settle",
  policy: nth(1),
  upstream: (port) => upstream.listen(port),
  bootstrap: withHttp2Upstream,
});

it("2,000 policy changes under load fail no request, lose no level and no memory", async () => {
  const connections = await sluice().connect(4);
  const spender = await sluice().api.issue("spender");
  const chatter = await sluice().api.issue("chatter");
  const idle = await Promise.all(Array.from({ length: IDLE_SESSIONS }, () => sluice().api.issue("idle")));
  for (const { token } of idle) await sluice().statuses(token, SPENT);
  let over = false;
  const spent = { requests: 0, chats: 0 };
  const clients = connections.map(async (connection, at) => {
    while (!over) {
      const isChat = at % 2 === 1;
      const request = isChat ? { "x-session-id": chatter.token, ":path": CHAT } : { "x-session-id": spender.token };
      expect(await ask(connection, request)).toBe(200);
      spent[isChat ? "chats" : "requests"] += 1;
      await delay(PAUSE_MS);
    }
  });

  const memory: { rss: number; guests: number[] }[] = [];
  const first = await sluice().generation();
  for (let change = 1; change <= CHANGES; change++) {
    sluice().writePolicy(nth(change + 1));
    await until(async () => {
      const [edge] = await sluice().api.edges();
      expect(edge?.received).toEqual({ generation: first + change, state: "ok" });
    });
    // While the limit is away: what it held must come back from the control plane.
    if (change === WARM - 1) {
      await sluice().current();
      for (const { token } of idle.slice(AWAY)) await sluice().statuses(token, 1);
    }
    if (change % WARM === 0) {
      await sluice().current();
      const [rss, guests] = [residentBytes(sluice().envoy.pid), guestBytes(sluice().envoy.pid)];
      memory.push({ rss, guests });
      const each = guests.map((bytes) => (bytes / MB).toFixed(1)).join(", ");
      console.log(`${change} changes: RSS ${(rss / MB).toFixed(1)} MB, guests ${each} MB`);
    }
  }
  const limits = [EXTRA];
  const last = policyOf([{ ...SPENDER, limits }, { ...IDLE, limits }, CHATTER], {
    response: { limits: "all" },
    routes: [chatRoute(1), PEEK],
  });
  await sluice().changePolicy(last);
  over = true;
  // Rejects where one was not let through, or got no answer.
  await Promise.all(clients);

  for (const [at, { token }] of idle.entries()) {
    const { status, headers: answered } = await sluice().send({ token });
    const own = 100 - SPENT - 1 - (at < AWAY ? 0 : 1);
    expect([status, answered.ratelimit]).toEqual([200, `"idle";r=${own}, "extra";r=${EXTRA.maxTokens - SPENT - 1}`]);
  }
  const { ratelimit } = (await sluice().send({ token: spender.token })).headers;
  expect(ratelimit).toContain(`"spender";r=${9_000_000 - spent.requests - 1}, `);
  const left = 9_000_000 - spent.chats;
  const chats = (await sluice().send({ token: chatter.token, path: "/peek" })).headers.ratelimit;
  expect(chats).toBe(`"chatter";r=${left}, "llm";r=${left}`);

  const [warm, end] = [memory[0], memory.at(-1)];
  if (warm === undefined || end === undefined) throw new Error("memory was not measured");
  expect(Math.max(...warm.guests)).toBeGreaterThan(0);
  // The VM that leads has the most. Another that comes to lead grows once to as much, and none beyond that.
  expect(Math.max(...end.guests)).toBe(Math.max(...warm.guests));
  expect(end.rss - warm.rss).toBeLessThan(10 * MB);
  for (const session of connections) session.close();
});
