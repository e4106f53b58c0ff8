// What requests really cost, through a real Envoy: reserved when they are let through, settled by what responses say.
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { usageResponses } from "../../host/usage/usage-readers.js";
import { changed, HTTP_FILTERS } from "../harness/bootstrap.js";
import { withHttp2Upstream } from "../harness/grpc.js";
import { ask, openHttp2 } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf, type PolicyDocument, type Route } from "../harness/policy.js";
import { reported } from "../harness/settled.js";
import { UsageUpstream } from "../harness/usage-upstream.js";

const LIMIT = 1000;
const RESERVED = 100;
/** The namespace in which Envoy's own filter writes what it takes from headers. */
const NAMESPACE = "service.usage";
const HEADER_TO_METADATA = "envoy.filters.http.header_to_metadata";

const settled = (path: string, settle: Record<string, unknown>): Route => ({
  match: { prefix: path },
  limits: { llm: RESERVED },
  settle: { limit: "llm", ...settle },
});
const ROUTES: readonly Route[] = [
  ...usageResponses().map(({ pointer }, index) => settled(`/chat/${index}`, { json: pointer })),
  settled("/load", { json: "/usage/total_tokens" }),
  settled("/begun", { json: "/usage/total_tokens" }),

  settled("/fail", { header: "x-cost", onMissing: "refund" }),
  settled("/header", { header: "x-cost", times: 0.5 }),
  settled("/trailer", { trailer: "x-cost" }),
  { match: { prefix: "/after" }, limits: { llm: 0 }, settle: { limit: "llm", header: "x-cost" } },
  settled("/metadata/number", { metadata: [NAMESPACE, "number"] }),
  settled("/metadata/text", { metadata: [NAMESPACE, "text"] }),
  { match: { prefix: "/own" }, cost: RESERVED, settle: { header: "x-cost" } },
  { match: { prefix: "/peek" }, cost: 0, limits: { llm: 0 } },
];

function policy(): PolicyDocument {
  const llm = { name: "llm", maxTokens: LIMIT, tokenRefillRate: 0, applies: "routes" as const };
  const plan = { name: "default", maxTokens: LIMIT, tokenRefillRate: 0, limits: [llm] };
  const own = { name: "own", maxTokens: LIMIT, tokenRefillRate: 0 };
  return policyOf([plan, own], {
    routes: ROUTES,
    response: { limits: "all" },
    controlPlane: { reportInterval: 300 },
  });
}

/**
 * Two other filters of the chain that write a response's header into metadata: one behind this filter, which sees a response
 * before it, and one ahead, which sees it after.
 */
function withMetadata(bootstrap: string): string {
  const url = "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config";
  const writing = (key: string, type: string) => {
    const rule = { header: "x-cost", on_header_present: { metadata_namespace: NAMESPACE, key, type } };
    return { name: `${HEADER_TO_METADATA}.${key}`, typed_config: { "@type": url, response_rules: [rule] } };
  };
  return changed(bootstrap, (document) => {
    const [sluiceFilter, router] = [0, 1].map((index) => document.getIn([...HTTP_FILTERS, index]));
    const filters = [writing("text", "STRING"), sluiceFilter, writing("number", "NUMBER"), router];
    document.setIn(HTTP_FILTERS, document.createNode(filters));
  });
}

const upstream = new UsageUpstream();
const sluice = useInstallation({
  filter: "sluice-settle",
  policy: policy(),
  upstream: (port) => upstream.listen(port),
  bootstrap: (yaml) => withMetadata(withHttp2Upstream(yaml)),
});

/** What a session has left of `llm`. */
async function left(token: string): Promise<number> {
  const { headers } = await sluice().send({ token, path: "/peek" });
  return Number(/"llm";r=(\d+)/.exec(String(headers.ratelimit))?.[1]);
}

async function settlesTo(token: string, expected: number): Promise<void> {
  await until(async () => {
    expect(await left(token)).toBe(expected);
  });
}

describe("a request whose response says what it cost", () => {
  it("a request pays what a language model's response says, through Envoy as it streams", async () => {
    for (const [index, { name, units, body }] of usageResponses().entries()) {
      const { token } = await sluice().api.issue();
      const answer = await sluice().send({ token, path: `/chat/${index}`, headers: { "accept-encoding": "gzip" } });
      expect(answer.body, name).toBe(body);
      await settlesTo(token, LIMIT - (units ?? RESERVED));
      expect(upstream.acceptEncodings.get(`/chat/${index}`), name).toBeUndefined();
    }
  });

  it("a request pays what a header, a trailer, or another filter's metadata says", async () => {
    const { token } = await sluice().api.issue();
    await sluice().send({ token, path: "/header?cost=7" });
    await settlesTo(token, LIMIT - 4);
    await sluice().send({ token, path: "/trailer?cost=20" });
    await settlesTo(token, LIMIT - 24);
    await sluice().send({ token, path: "/metadata/number?cost=30" });
    await settlesTo(token, LIMIT - 54);
    await sluice().send({ token, path: "/metadata/text?cost=40" });
    await settlesTo(token, LIMIT - 94);
    await sluice().send({ token, path: "/header?cost=1900" });
    await settlesTo(token, 0);
    expect((await sluice().send({ token, path: "/header?cost=1" })).status).toBe(429);
  });

  it("a route that reserves 0 is charged afterwards, and never denied by that limit", async () => {
    const { token } = await sluice().api.issue();
    await sluice().send({ token, path: "/after?cost=30" });
    await settlesTo(token, LIMIT - 30);
    await sluice().send({ token, path: `/after?cost=${LIMIT + 500}` });
    await settlesTo(token, 0);
    expect((await sluice().send({ token, path: "/after?cost=1" })).status).toBe(200);
    expect((await sluice().send({ token, path: "/header?cost=1" })).status).toBe(429);
  });

  it("limit headers show what a request reserved, not what it cost", async () => {
    const { token } = await sluice().api.issue();
    const { headers } = await sluice().send({ token, path: "/header?cost=1" });
    expect(headers.ratelimit).toContain(`"llm";r=${LIMIT - RESERVED}`);
    await settlesTo(token, LIMIT - 1);
  });

  it("a client that leaves pays by the last event that came, else as the policy says", async () => {
    const { token } = await sluice().api.issue();
    await leaveAfterBegin(token, "/begun?cost=12");
    await settlesTo(token, LIMIT - 12);
    await leaveAfterBegin(token, "/begun?cost=null");
    await settlesTo(token, LIMIT - 12 - RESERVED);
    // The reservation goes back, as its route wants it.
    expect((await sluice().send({ token, path: "/fail" })).status).toBe(503);
    await settlesTo(token, LIMIT - 12 - RESERVED);
    await until(async () => {
      expect(await sluice().envoyAdmin.sample("sluice_tokens_refunded_total")).toBeGreaterThanOrEqual(88 + RESERVED);
    });
  });

  it("the control plane learns what requests really cost", async () => {
    const { token, id } = await sluice().api.issue("own");
    await sluice().send({ token, path: "/own?cost=7" });
    await reported(sluice(), id, 7);
    await sluice().send({ token, path: "/own?cost=150" });
    await reported(sluice(), id, 157);
    const { headers } = await sluice().send({ token, path: "/peek" });
    expect(headers.ratelimit).toBe(`"own";r=${LIMIT - 157}`);
  });
});

describe("64 requests at a time whose reservation is an upper bound", () => {
  it("64 requests at a time never pass a limit whose reservation is an upper bound", async () => {
    const { token } = await sluice().api.issue();
    const connections = await sluice().connect(8);
    let sent = 0;
    const one = async (index: number): Promise<void> => {
      // Each until it is denied ten times: what others give back may let it through.
      for (let denied = 0; denied < 10;) {
        const cost = (sent++ * 37) % (RESERVED + 1);
        const connection = connections[index % connections.length];
        if (connection === undefined) throw new Error("there is no connection");
        const headers = { ":path": `/load?cost=${cost}`, "x-session-id": token };
        if ((await ask(connection, headers)) === 429) denied++;
        expect(upstream.load.cost).toBeLessThanOrEqual(LIMIT);
      }
    };
    await Promise.all(Array.from({ length: 64 }, (_, index) => one(index)));
    await settlesTo(token, LIMIT - upstream.load.cost);
    // One after the other what is left.
    for (let next = await left(token); next >= RESERVED; next = await left(token)) {
      await sluice().send({ token, path: `/load?cost=${RESERVED}` });
      await settlesTo(token, next - RESERVED);
    }
    for (const connection of connections) connection.close();
    await settlesTo(token, LIMIT - upstream.load.cost);
    expect(upstream.load.cost).toBeGreaterThan(LIMIT - RESERVED);
    expect(upstream.load.requests).toBeGreaterThan(LIMIT / RESERVED);
    await until(async () => {
      const counted = await sluice().envoyAdmin.sample('sluice_settlements_total{outcome="settled"}');
      expect(counted).toBeGreaterThanOrEqual(upstream.load.requests);
    });
  });
});

/** The client leaves once the response has begun. */
async function leaveAfterBegin(token: string, path: string): Promise<void> {
  const session = await openHttp2(sluice().ports.proxy);
  const stream = session.request({ ":path": path, "x-session-id": token });
  await once(stream, "data");
  stream.close(8);
  session.close();
}
