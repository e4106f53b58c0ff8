// Rotation of the secret of two Envoys and their control plane, in the documented four steps, under traffic.
import { describe, expect, it, onTestFinished } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import type { IssuedSession } from "../harness/control-plane-client.js";
import { useInstallation } from "../harness/installation.js";
import type { Part } from "../harness/part.js";
import { policyOf } from "../harness/policy.js";
import { anotherSecret, restart } from "../harness/rotation.js";
import { reported } from "../harness/settled.js";

const sluice = useInstallation({
  edges: ["gw-1", "gw-2"],
  policy: policyOf([{ name: "default", maxTokens: 9_000_000, tokenRefillRate: 0 }], {
    // No session is admitted unverified: an edge that starts anew must be able to ask.
    onUnreachable: "deny",
    controlPlane: { reportInterval: 300 },
  }),
});

/** Clients that turn to the other edge when one does not answer, as behind a load balancer. */
class Traffic {
  readonly statuses = new Map<number, number>();
  readonly sessions: IssuedSession[] = [];
  answered = 0;
  private over = false;
  private readonly running: Promise<void>[];

  constructor() {
    this.running = sluice().edges.map((_, first) => this.run(first));
  }

  /** From now on in use, once each edge knows it. */
  async add(session: IssuedSession): Promise<void> {
    for (const edge of sluice().edges) expect(await edge.statuses(session.token, 1)).toEqual([200]);
    this.sessions.push(session);
  }

  /** Resolves when many more requests have been answered. */
  async goesOn(): Promise<void> {
    const before = this.answered;
    await until(() => {
      expect(this.answered).toBeGreaterThan(before + 50);
    });
  }

  async end(): Promise<void> {
    this.over = true;
    await Promise.all(this.running);
  }

  private async run(first: number): Promise<void> {
    for (let turn = first; !this.over; turn++) {
      const session = this.sessions[turn % Math.max(1, this.sessions.length)];
      const status = session === undefined ? undefined : await this.ask(turn, session);
      // Nobody to ask for yet, or an edge that is just restarting.
      if (status === undefined) await new Promise(setImmediate);
      else this.count(status);
    }
  }

  private async ask(turn: number, { token }: IssuedSession): Promise<number | undefined> {
    const edge = sluice().edge(turn % sluice().edges.length);
    return edge.send({ token }).then(
      ({ status }) => status,
      () => undefined,
    );
  }

  private count(status: number): void {
    this.answered++;
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
  }
}

describe("a rotation of the secret", () => {
  it("a secret rotation denies no request of two edges and loses no session", async () => {
    const { controlPlane, edges, secret: before, api } = sluice();
    const after = anotherSecret(before);
    const traffic = new Traffic();
    onTestFinished(() => traffic.end());
    const ofBefore = await api.issue();
    await traffic.add(ofBefore);
    const steps: [Part, string, string][] = [
      [controlPlane, before, after],
      ...edges.map(({ envoy }): [Part, string, string] => [envoy, after, before]),
      [controlPlane, after, before],
    ];
    for (const [part, secret, also] of steps) {
      await restart(part, secret, also);
      const session = await api.issue();
      await traffic.add(session);
      await traffic.goesOn();
      // Both edges may report, whichever credential they show.
      await until(async () => {
        const { edges: usage } = await api.usage(session.id);
        expect(usage.map(({ consumed }) => consumed > 0)).toEqual([true, true]);
      });
    }
    // Before the old secret goes, each session that is to stay gets a token of the new one.
    const { body } = await api.call("POST", `/v1/sessions/${ofBefore.id}/token`);
    const { token: again } = body as { token: string };
    expect(again).not.toBe(ofBefore.token);
    await traffic.end();
    expect([...traffic.statuses.keys()]).toEqual([200]);

    for (const part of [controlPlane, ...edges.map(({ envoy }) => envoy)]) await restart(part, after, "");
    const { consumed } = (await api.session(ofBefore.id)).tokens;
    for (const edge of edges) {
      expect(await edge.statuses(again, 2)).toEqual([200, 200]);
      expect(await edge.statuses(ofBefore.token, 2)).toEqual([401, 401]);
      for (const { token } of traffic.sessions.slice(-1)) expect(await edge.statuses(token, 1)).toEqual([200]);
    }
    await reported(sluice(), ofBefore.id, consumed + 2 * edges.length);
  });
});
