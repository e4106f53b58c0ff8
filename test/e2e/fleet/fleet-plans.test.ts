// One budget over two Envoys: what they admit together, what one gets while the other has leases, and what an operator sees.
import { describe, expect, it } from "vitest";
import type { Edge } from "../harness/edge.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { until } from "../../../control-plane/test/support/until.js";

const TOKENS = 60;
const DEAR = 25;
/** Nothing refills, so that each token can be counted. */
const STILL = { tokenRefillRate: 0 };

const sluice = useInstallation({
  edges: ["gw-1", "gw-2"],
  policy: policyOf(
    [
      { name: "shared", scope: "fleet", maxTokens: TOKENS, ...STILL },
      {
        name: "daily",
        scope: "fleet",
        maxTokens: TOKENS,
        ...STILL,
        limits: [{ name: "day", maxTokens: 40, ...STILL }],
      },
    ],
    { routes: [{ match: { prefix: "/dear" }, cost: DEAR }] },
  ),
});

interface FleetView {
  readonly buckets: readonly { readonly name: string; readonly level: number; readonly outstanding: number }[];
  readonly leases: readonly { readonly edge: string; readonly outstanding: Readonly<Record<string, number>> }[];
}

async function fleetView(id: string): Promise<FleetView> {
  const { status, body } = await sluice().api.call("GET", `/v1/sessions/${id}/usage`);
  expect(status).toBe(200);
  return (body as { fleet: FleetView }).fleet;
}

const edges = (): readonly [Edge, Edge] => [sluice().edge(0), sluice().edge(1)];

/** What both admit, request by request in turn, until there is nothing more to have. */
async function admittedByBoth(token: string, id: string): Promise<number> {
  let admitted = 0;
  await until(async () => {
    for (const edge of edges()) {
      const { status } = await edge.send({ token });
      expect([200, 429]).toContain(status);
      if (status === 200) admitted += 1;
    }
    // A lease that nobody spends from goes back, so nothing of it is lost.
    const { buckets } = await fleetView(id);
    expect(buckets.some(({ level, outstanding }) => level === 0 && outstanding === 0)).toBe(true);
  });
  return admitted;
}

describe("a session of one budget over two Envoys", () => {
  it("two Envoys admit as much as one bucket holds, to the token, and not one request more", async () => {
    const { id, token } = await sluice().api.issue("shared");
    expect(await admittedByBoth(token, id)).toBe(TOKENS);
    for (const edge of edges()) expect((await edge.send({ token })).status).toBe(429);
  });

  it("the tightest of several limits holds for both Envoys together", async () => {
    const { id, token } = await sluice().api.issue("daily");
    expect(await admittedByBoth(token, id)).toBe(40);
    // Nothing of the wider limit is lost with what one of them still had of it.
    await until(async () => {
      expect((await fleetView(id)).buckets).toMatchObject([
        { name: "", level: TOKENS - 40, outstanding: 0 },
        { name: "day", level: 0, outstanding: 0 },
      ]);
    });
  });

  it("a request dearer than any lease passes, while another Envoy has one too", async () => {
    const { token } = await sluice().api.issue("shared");
    const [one, other] = edges();
    expect(await one.statuses(token, 3)).toEqual([200, 200, 200]);
    // What the other Envoy keeps back comes when it is asked again, at the latest.
    await until(async () => {
      expect((await other.send({ token, path: "/dear" })).status).toBe(200);
    });
  });

  it("an operator sees what is left, what is out, and which Envoy has it", async () => {
    const { id, token } = await sluice().api.issue("shared");
    const [one] = edges();
    await until(async () => {
      expect((await one.send({ token })).status).toBe(200);
      const { buckets, leases } = await fleetView(id);
      expect(leases).toMatchObject([{ edge: "gw-1" }]);
      expect(buckets[0]?.outstanding).toBeGreaterThan(0);
    });
    // Nobody spends from it any more.
    await until(async () => {
      expect(await fleetView(id)).toMatchObject({ leases: [], buckets: [{ outstanding: 0 }] });
    });
  });

  it("a session that is revoked is denied at both Envoys, whatever their leases have left", async () => {
    const { id, token } = await sluice().api.issue("shared");
    for (const edge of edges()) expect((await edge.send({ token })).status).toBe(200);
    await sluice().api.revoke(id);
    await until(async () => {
      for (const edge of edges()) expect((await edge.send({ token })).status).toBe(401);
    });
  });

  it("an Envoy that cannot ask spends its lease to the end, then says 503, and goes on by itself", async () => {
    const { token } = await sluice().api.issue("shared");
    const [one] = edges();
    expect(await one.statuses(token, 2)).toEqual([200, 200]);
    await sluice().controlPlane.killHard();
    await until(async () => {
      expect((await one.send({ token })).status).toBe(503);
    });
    await sluice().controlPlane.start();
    await until(async () => {
      expect((await one.send({ token })).status).toBe(200);
    });
  });
});
