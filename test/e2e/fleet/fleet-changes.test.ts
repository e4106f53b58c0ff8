// A plan that becomes one budget over all Envoys, and back; and one whose size changes meanwhile. What was spent stays spent.
import { describe, expect, it } from "vitest";
import type { Edge } from "../harness/edge.js";
import { useInstallation } from "../harness/installation.js";
import { type Plan, policyOf, type PolicyDocument } from "../harness/policy.js";
import { reported } from "../harness/settled.js";
import { until } from "../../../control-plane/test/support/until.js";

const TOKENS = 40;
const STILL = { tokenRefillRate: 0 };
/** One request at each Envoy may still go by the plan before. */
const UNHEARD = 2;

const policyWith = (plan: Partial<Plan>): PolicyDocument =>
  policyOf(
    [
      { name: "changing", maxTokens: TOKENS, ...STILL, ...plan },
      { name: "shared", maxTokens: TOKENS, ...STILL, scope: "fleet" },
      { name: "alone", maxTokens: TOKENS, ...STILL },
    ],
    { controlPlane: { reportInterval: 300 } },
  );
const ofEdges = policyWith({ scope: "edge" });
const ofFleet = policyWith({ scope: "fleet" });

const sluice = useInstallation({ edges: ["gw-1", "gw-2"], policy: ofEdges });

const edges = (): readonly [Edge, Edge] => [sluice().edge(0), sluice().edge(1)];

let running = ofEdges;
async function changeTo(policy: PolicyDocument): Promise<void> {
  if (policy !== running) await sluice().changePolicy(policy);
  running = policy;
}

/** Resolves once no Envoy has a lease of the session's budget. */
const allBack = (id: string): Promise<void> =>
  until(async () => {
    const { body } = await sluice().api.call("GET", `/v1/sessions/${id}/usage`);
    expect(body).toMatchObject({ fleet: { leases: [], buckets: [{ outstanding: 0 }] } });
  });

/** What one Envoy admits until it denies. */
async function admitted(edge: Edge, token: string): Promise<number> {
  for (let count = 0; ; count++) {
    const { status } = await edge.send({ token });
    if (status === 429) return count;
    expect(status).toBe(200);
  }
}

/** What both admit, once it is `least`: what one of them keeps comes back. And no more than `most` afterwards. */
async function admittedByBoth(token: string, least: number, most = least): Promise<void> {
  let sum = 0;
  await until(async () => {
    for (const edge of edges()) sum += await admitted(edge, token);
    expect(sum).toBeGreaterThanOrEqual(least);
  });
  for (const edge of edges()) sum += await admitted(edge, token);
  expect(sum).toBeLessThanOrEqual(most);
}

describe("a plan that changes while its sessions are used", () => {
  it("what both Envoys spent by themselves is spent of the one budget that they have then", async () => {
    await changeTo(ofEdges);
    const { id, token } = await sluice().api.issue();
    const [one, other] = edges();
    expect(await one.statuses(token, 12)).not.toContain(429);
    expect(await other.statuses(token, 9)).not.toContain(429);
    await reported(sluice(), id, 21);

    await changeTo(ofFleet);
    await admittedByBoth(token, TOKENS - 21);
  });

  it("an Envoy that goes on by itself begins with what the one budget had left", async () => {
    await changeTo(ofFleet);
    const { id, token } = await sluice().api.issue();
    const [one, other] = edges();
    expect(await one.statuses(token, 10)).not.toContain(429);
    expect(await other.statuses(token, 5)).not.toContain(429);
    await reported(sluice(), id, 15);

    await changeTo(ofEdges);
    for (const edge of edges()) expect(await admitted(edge, token)).toBeLessThanOrEqual(TOKENS - 15);
  });

  it("a budget that becomes smaller has its new size for both, less what was leased just before", async () => {
    await changeTo(ofFleet);
    const { id, token } = await sluice().api.issue();
    const [one] = edges();
    expect(await one.statuses(token, 4)).not.toContain(429);
    await changeTo(policyWith({ scope: "fleet", maxTokens: 10 }));
    await allBack(id);
    await admittedByBoth(token, 10 - 4, 10);

    await changeTo(policyWith({ scope: "fleet", maxTokens: 10, tokenRefillRate: 50 }));
    await until(async () => {
      for (const edge of edges()) expect((await edge.send({ token })).status).toBe(200);
    });
  });

  it("a session that moves to a plan with one budget, and back, keeps what it spent", async () => {
    const { id, token } = await sluice().api.issue("alone");
    const [one, other] = edges();
    expect(await one.statuses(token, 12)).not.toContain(429);
    expect(await other.statuses(token, 9)).not.toContain(429);
    await reported(sluice(), id, 21);
    let spent = 21;
    const moveTo = async (plan: string): Promise<void> => {
      expect((await sluice().api.call("PATCH", `/v1/sessions/${id}`, { plan })).status).toBe(200);
      for (const edge of edges()) {
        await until(async () => {
          const { status, headers } = await edge.send({ token });
          if (status === 200) spent++;
          expect(String(headers["ratelimit-policy"])).toContain(plan);
        });
      }
    };
    await moveTo("shared");
    await until(async () => {
      for (const edge of edges()) spent += await admitted(edge, token);
      expect(spent).toBeGreaterThanOrEqual(TOKENS - UNHEARD);
    });
    expect(spent).toBeLessThanOrEqual(TOKENS + UNHEARD);
    await moveTo("alone");
    for (const edge of edges()) expect(await admitted(edge, token)).toBeLessThanOrEqual(UNHEARD);
  });
});
