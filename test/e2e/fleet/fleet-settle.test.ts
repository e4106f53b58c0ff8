// Reservations from one budget over two Envoys: what a response says it cost counts, also long after the lease has ended.
import { describe, expect, it } from "vitest";
import { withHttp2Upstream } from "../harness/grpc.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { until } from "../../../control-plane/test/support/until.js";
import { UsageUpstream } from "../harness/usage-upstream.js";

const TOKENS = 100;
const RESERVED = 30;
/** Longer than any lease lasts. */
const LASTING_MS = 4000;

const upstream = new UsageUpstream();
const sluice = useInstallation({
  filter: "sluice-settle",
  edges: ["gw-1", "gw-2"],
  policy: policyOf([{ name: "shared", scope: "fleet", maxTokens: TOKENS, tokenRefillRate: 0 }], {
    routes: [
      { match: { prefix: "/header" }, cost: RESERVED, settle: { header: "x-cost" } },
      { match: { prefix: "/lasting" }, cost: RESERVED, settle: { json: "/usage/total_tokens" } },
      { match: { prefix: "/fail" }, cost: RESERVED, settle: { header: "x-cost", onMissing: "refund" } },
    ],
  }),
  upstream: (port) => upstream.listen(port),
  bootstrap: withHttp2Upstream,
});

async function sent(edge: number, token: string, path: string): Promise<number> {
  return (await sluice().edge(edge).send({ token, path })).status;
}

/** Resolves once no Envoy has a lease, and so much is left of the budget. */
const leaves = (id: string, level: number): Promise<void> =>
  until(async () => {
    const { body } = await sluice().api.call("GET", `/v1/sessions/${id}/usage`);
    expect(body).toMatchObject({ fleet: { leases: [], buckets: [{ level, outstanding: 0 }] } });
  });

describe("a reservation from a budget of all Envoys", () => {
  it("what a request did not use is there for the other Envoy", async () => {
    const { id, token } = await sluice().api.issue();
    expect(await sent(0, token, "/header?cost=4")).toBe(200);
    await leaves(id, TOKENS - 4);
    for (let i = 0; i < 3; i++) expect(await sent(1, token, "/header?cost=2")).toBe(200);
    await leaves(id, TOKENS - 10);
  });

  it("a request that cost more than was reserved has the budget pay the rest", async () => {
    const { id, token } = await sluice().api.issue();
    expect(await sent(0, token, "/header?cost=75")).toBe(200);
    await leaves(id, TOKENS - 75);
  });

  it("a response that lasts longer than the lease settles nevertheless, either way", async () => {
    const [less, more] = [await sluice().api.issue(), await sluice().api.issue()];
    const asked = [
      sent(0, less.token, `/lasting?cost=5&ms=${LASTING_MS}`),
      sent(1, more.token, `/lasting?cost=80&ms=${LASTING_MS}`),
    ];
    expect(await Promise.all(asked)).toEqual([200, 200]);
    await leaves(less.id, TOKENS - 5);
    await leaves(more.id, TOKENS - 80);
  });

  it("a request that failed costs the budget nothing, where that is what the policy says", async () => {
    const { id, token } = await sluice().api.issue();
    expect(await sent(0, token, "/fail")).toBeGreaterThanOrEqual(500);
    await leaves(id, TOKENS);
  });
});
