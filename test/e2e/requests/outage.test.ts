// Outages: what clients see while the control plane is away, and after.
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { UNAVAILABLE } from "../harness/answers.js";
import { drive, times } from "../harness/http2-load.js";
import { type Installation, useInstallation } from "../harness/installation.js";
import { policyOf, type PolicyRest } from "../harness/policy.js";

const policyWith = (maxTokens: number, rest: PolicyRest = {}) =>
  policyOf(
    [
      { name: "default", maxTokens, tokenRefillRate: 0 },
      { name: "large", maxTokens: 9_000_000, tokenRefillRate: 0 },
    ],
    rest,
  );

/** Every test waits for what it adds, so that the next one does not take it for its own. */
const misses = (installation: Installation, outcome: string) =>
  installation.envoyAdmin.sample(`sluice_misses_total{outcome="${outcome}"}`);

describe("while the control plane is away", () => {
  // Envoy is started with 99 tokens a session; the policy that the control plane then sends says 10.
  const sluice = useInstallation({ policy: policyWith(99) });

  it("known sessions go on without a failed request through an outage", async () => {
    await sluice().changePolicy(policyWith(10));
    const connections = await sluice().connect(4);
    const { token } = await sluice().api.issue("large");
    expect((await sluice().send({ token })).status).toBe(200);

    let phase: "before" | "dead" | "back" | "over" = "before";
    const answered = { before: 0, dead: 0, back: 0, over: 0 };
    const next = () => {
      answered[phase]++;
      return phase === "over" ? null : { "x-session-id": token };
    };
    const load = drive({ connections, inFlight: 2, next });
    const enough = (what: "before" | "dead" | "back") =>
      until(() => {
        expect(answered[what]).toBeGreaterThan(200);
      });
    await enough("before");
    await sluice().controlPlane.killHard();
    phase = "dead";
    await enough("dead");
    await sluice().controlPlane.start();
    phase = "back";
    await enough("back");
    phase = "over";
    const { statuses, failures } = await load;
    expect(failures).toEqual([]);
    expect(Object.keys(statuses)).toEqual(["200"]);
    for (const session of connections) session.close();
  });

  it("new sessions are admitted unverified in an outage, limited, and confirmed later", async () => {
    const sessions = await Promise.all(Array.from({ length: 5 }, () => sluice().api.issue()));
    const unverifiedBefore = await misses(sluice(), "unverified");
    const liveBefore = await misses(sluice(), "live");
    await sluice().controlPlane.killHard();

    for (const { token } of sessions) {
      const answer = await sluice().send({ token });
      expect(answer.status).toBe(200);
      // The plan as the control plane sent it last, not as it was when Envoy started.
      expect(answer.headers["ratelimit-policy"]).toBe('"default";q=10');
      expect(await sluice().statuses(token, 3)).toEqual([200, 200, 200]);
    }
    await until(async () => {
      expect(await misses(sluice(), "unverified")).toBe(unverifiedBefore + sessions.length);
    });

    const deadMs = Date.now();
    await sluice().controlPlane.start();
    for (const { id } of sessions) {
      await until(async () => {
        const { body } = await sluice().api.call("GET", `/v1/sessions/${id}`);
        // That an edge asked for it counts as activity.
        expect((body as { session: { lastActivity: number } }).session.lastActivity).toBeGreaterThanOrEqual(deadMs);
      });
    }
    await until(async () => {
      expect(await misses(sluice(), "live")).toBeGreaterThanOrEqual(liveBefore + sessions.length);
    });
    for (const { token } of sessions) {
      expect(await sluice().statuses(token, 8)).toEqual([200, 200, 200, 200, 200, 200, 429, 429]);
    }
  });

  it("a genuine token of no known session passes in an outage, and is denied after it", async () => {
    const { token } = sluice().mint.mint(Date.now());
    const unverifiedBefore = await misses(sluice(), "unverified");
    await sluice().controlPlane.killHard();
    expect((await sluice().send({ token })).status).toBe(200);
    await until(async () => {
      expect(await misses(sluice(), "unverified")).toBe(unverifiedBefore + 1);
    });
    await sluice().controlPlane.start();
    await until(async () => {
      expect((await sluice().send({ token })).status).toBe(401);
    });
  });

  it("an invented session is denied in an outage too", async () => {
    await sluice().controlPlane.killHard();
    expect((await sluice().send({ token: "A".repeat(48) })).status).toBe(401);
    expect((await sluice().send()).status).toBe(401);
    await sluice().controlPlane.start();
  });

  it("a control plane that hangs is waited for no longer than the policy says", async () => {
    await sluice().changePolicy(policyWith(10, { controlPlane: { acquireTimeout: 200 } }));
    const { token } = await sluice().api.issue();
    const unverifiedBefore = await misses(sluice(), "unverified");
    sluice().controlPlane.pause();
    expect((await sluice().send({ token })).status).toBe(200);
    sluice().controlPlane.resume();
    await until(async () => {
      expect(await misses(sluice(), "unverified")).toBe(unverifiedBefore + 1);
    });
  });

  it("new sessions get 503 in an outage under deny, and are served after it", async () => {
    await sluice().changePolicy(policyWith(10, { onUnreachable: "deny" }));
    const known = await sluice().api.issue();
    const unknown = await sluice().api.issue();
    expect(await sluice().statuses(known.token, 1)).toEqual([200]);
    await sluice().controlPlane.killHard();

    const denied = await sluice().send({ token: unknown.token, path: "/not-decided" });
    expect(denied).toMatchObject({ status: 503, body: UNAVAILABLE });
    expect(denied.headers["content-type"]).toBe("application/json");
    expect(await sluice().statuses(known.token, 1)).toEqual([200]);
    await until(() => {
      expect(sluice().envoy.log).toContain(" GET /not-decided HTTP/1.1 503 sluice_unavailable ");
    });

    await sluice().controlPlane.start();
    const answer = await sluice().send({ token: unknown.token });
    expect(answer.status).toBe(200);
    expect(answer.headers.ratelimit).toBe('"default";r=9');
  });

  it("a session survives a kill -9 right after its 201", async () => {
    for (let round = 0; round < 3; round++) {
      const { id, token } = await sluice().api.issue();
      await sluice().controlPlane.killHard();
      await sluice().controlPlane.start();
      const shown = await sluice().api.call("GET", `/v1/sessions/${id}`);
      expect(shown).toMatchObject({ status: 200, body: { session: { id, state: "live" } } });
      expect(await sluice().statuses(token, 1)).toEqual([200]);
    }
  });

  it("a revocation survives a kill -9 right after its 204", async () => {
    const { id, token } = await sluice().api.issue();
    expect((await sluice().api.call("DELETE", `/v1/sessions/${id}`)).status).toBe(204);
    await sluice().controlPlane.killHard();
    await sluice().controlPlane.start();
    expect(await sluice().statuses(token, 2)).toEqual([401, 401]);
  });
});

describe("where the control plane never comes up", () => {
  const policy = policyWith(20);
  const sluice = useInstallation({ policy, settingsPolicy: policy, controlPlane: false });

  it("an Envoy without a control plane serves genuine tokens by its settings' policy", async () => {
    const connections = await sluice().connect(4);
    const { token } = sluice().mint.mint(Date.now());
    const first = await sluice().send({ token });
    expect(first.status).toBe(200);
    expect(first.headers["ratelimit-policy"]).toBe('"default";q=20');
    const load = await drive({ connections, inFlight: 5, next: times(60, { "x-session-id": token }) });
    expect(load.failures).toEqual([]);
    expect(load.statuses).toEqual({ 200: 19, 429: 41 });
    expect((await sluice().send({ token: "A".repeat(48) })).status).toBe(401);
    for (const session of connections) session.close();
  });

  it("an Envoy takes the control plane's policy when that first comes up", async () => {
    sluice().writePolicy(policyWith(30));
    await sluice().controlPlane.start();
    const { token } = await sluice().api.issue();
    // The clients are asked: a control plane that has just started has reports of some workers only.
    const policies = async (): Promise<unknown[]> => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => sluice().send({ token })));
      return [...new Set(answers.map(({ headers }) => headers["ratelimit-policy"]))];
    };
    await expect.poll(policies).toEqual(['"default";q=30']);
  });
});
