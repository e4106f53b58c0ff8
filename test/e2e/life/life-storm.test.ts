// Storms: ten thousand logins at once, and a control plane that keeps dying, while two Envoys serve traffic.
import type { ClientHttp2Session } from "node:http2";
import { describe, expect, it, onTestFinished } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import type { IssuedSession } from "../harness/control-plane-client.js";
import type { Edge } from "../harness/edge.js";
import { drive, type LoadResult } from "../harness/http2-load.js";
import { inTurns } from "../harness/in-turns.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { reported } from "../harness/settled.js";

const sluice = useInstallation({
  edges: ["gw-1", "gw-2"],
  policy: policyOf([{ name: "default", maxTokens: 9_000_000, tokenRefillRate: 0 }], {
    controlPlane: { reportInterval: 300 },
  }),
});

const LOGINS = 10_000;
const IN_USE = 6;
const KILLS = 3;

/** Requests of a few sessions at both edges, until it is stopped. */
class Traffic {
  answered = 0;
  over = false;
  private readonly connections: ClientHttp2Session[] = [];
  private readonly loads: Promise<{ session: IssuedSession; result: LoadResult }>[] = [];

  static async of(sessions: readonly IssuedSession[]): Promise<Traffic> {
    const traffic = new Traffic();
    onTestFinished(() => {
      traffic.over = true;
    });
    for (const edge of sluice().edges) await traffic.at(edge, sessions);
    return traffic;
  }

  /** Resolves when many more requests have been answered, or failed. */
  async goesOn(): Promise<void> {
    const before = this.answered;
    await until(() => {
      expect(this.answered).toBeGreaterThan(before + 300);
    });
  }

  /** Resolves with how many requests of each session were admitted; every one had to be. */
  async end(): Promise<ReadonlyMap<IssuedSession, number>> {
    this.over = true;
    const admitted = new Map<IssuedSession, number>();
    for (const { session, result } of await Promise.all(this.loads)) {
      expect(result.failures).toEqual([]);
      expect(Object.keys(result.statuses)).toEqual(["200"]);
      admitted.set(session, (admitted.get(session) ?? 0) + (result.statuses[200] ?? 0));
    }
    for (const connection of this.connections) connection.close();
    return admitted;
  }

  private async at(edge: Edge, sessions: readonly IssuedSession[]): Promise<void> {
    const connections = await edge.connect(2);
    this.connections.push(...connections);
    for (const session of sessions) {
      const next = () => {
        this.answered++;
        return this.over ? null : { "x-session-id": session.token };
      };
      const load = drive({ connections, inFlight: 1, next });
      this.loads.push(load.then((result) => ({ session, result })));
    }
  }
}

const sessionsInUse = (): Promise<IssuedSession[]> =>
  inTurns(Array.from({ length: IN_USE }), () => sluice().api.issue());

describe("a storm", () => {
  it("a storm of logins fails no request, and each session is good at once", async () => {
    const busy = await sessionsInUse();
    const traffic = await Traffic.of(busy.slice(0, 2));
    const issued = await inTurns(Array.from({ length: LOGINS }), (_, index) =>
      sluice().api.issue("default", { userId: `u${index}`, orgId: "storm" }),
    );
    expect(new Set(issued.map(({ id }) => id)).size).toBe(LOGINS);
    const firstUses = issued.filter((_, index) => index % 20 === 0);
    const statuses = await inTurns(firstUses, async ({ token }, index) => {
      return (
        await sluice()
          .edge(index % 2)
          .send({ token })
      ).status;
    });
    expect(new Set(statuses)).toEqual(new Set([200]));
    for (const [{ id }, admitted] of await traffic.end()) await reported(sluice(), id, admitted);
    const active = (await sluice().api.metrics()).get('sluice_control_sessions_active{plan="default"}');
    expect(active).toBe(LOGINS + IN_USE);
  });

  it("a storm of control plane deaths loses no session and no spent token", async () => {
    const sessions = await sessionsInUse();
    const traffic = await Traffic.of(sessions);
    await traffic.goesOn();
    const unverified: IssuedSession[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const unknown = await sluice().api.issue();
      unverified.push(unknown);
      await sluice().controlPlane.killHard();
      for (const edge of sluice().edges) expect(await edge.statuses(unknown.token, 5)).toEqual(Array(5).fill(200));
      await traffic.goesOn();
      await sluice().controlPlane.start();
      await traffic.goesOn();
    }
    const admitted = await traffic.end();
    expect(admitted.size).toBe(IN_USE);
    for (const [{ id }, count] of admitted) {
      await reported(sluice(), id, count);
      const { edges } = await sluice().api.usage(id);
      expect(edges).toHaveLength(sluice().edges.length);
      for (const { instances } of edges) expect(instances).toHaveLength(1);
    }
    // First used while the control plane was away: confirmed since, and counted.
    for (const { id } of unverified) await reported(sluice(), id, 5 * sluice().edges.length);
  });
});
