// The way of a policy from the save of the file to every worker of every Envoy, over outages, errors and kills.
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { UNAVAILABLE } from "../harness/answers.js";
import { sluiceCommand } from "../harness/cli.js";
import type { EdgeView } from "../harness/control-plane-client.js";
import { type Installation, useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { WORKERS } from "../harness/processes.js";
import { anotherSecret } from "../harness/rotation.js";

const policyWith = (maxTokens: number) => policyOf([{ name: "default", maxTokens, tokenRefillRate: 0 }]);
const SETTINGS_TOKENS = 99;
/** Ticks run on the main thread's VM too, and it reports as they do. */
const VMS = WORKERS + 1;

async function viewOf(installation: Installation): Promise<EdgeView> {
  const view = (await installation.api.edges()).find(({ edge }) => edge === "sluice-edge");
  if (view === undefined) throw new Error("the control plane does not know the edge");
  return view;
}

/** A control plane that has just started calls an edge current while only some of its workers have reported. */
async function servedByAll(installation: Installation): Promise<void> {
  await until(async () => {
    const { state, published, running } = await viewOf(installation);
    expect({ state, running }).toEqual({ state: "current", running: { [published ?? 0]: VMS } });
  });
}

/** The capacity that a new session is served under. */
async function tokensServed(installation: Installation): Promise<string> {
  const { token } = installation.mint.mint(Date.now());
  return String((await installation.send({ token })).headers["ratelimit-policy"]);
}

describe("a policy that is saved", () => {
  const sluice = useInstallation({ policy: policyWith(10), settingsPolicy: policyWith(SETTINGS_TOKENS) });

  it("a saved policy is run by every worker, and the control plane knows it of each", async () => {
    const before = await sluice().generation();
    sluice().writePolicy(policyWith(11));
    const view = await until(async () => {
      const now = await viewOf(sluice());
      expect(now).toMatchObject({ state: "current", published: before + 1 });
      expect(now.running).toEqual({ [before + 1]: VMS });
      return now;
    });
    expect(view.received).toEqual({ generation: before + 1, state: "ok" });
    expect(await sluiceCommand(sluice(), "edges")).toMatch(/sluice-edge +current /);
    expect((await sluice().send({ token: (await sluice().api.issue()).token })).headers.ratelimit).toBe(
      '"default";r=10',
    );
  });

  it.each([0, 30, 100, 300])(
    "a saved policy reaches the edge though the control plane dies %i ms later",
    async (ms) => {
      const before = await sluice().generation();
      sluice().writePolicy(policyWith(20 + ms));
      await delay(ms);
      await sluice().controlPlane.killHard();
      expect((await sluice().send()).status).toBe(401);
      await sluice().controlPlane.start();
      await until(async () => {
        expect(await viewOf(sluice())).toMatchObject({ state: "current", running: { [before + 1]: VMS } });
      });
      const { token } = await sluice().api.issue();
      expect((await sluice().send({ token })).headers["ratelimit-policy"]).toBe(`"default";q=${20 + ms}`);
    },
  );

  it("an Envoy that starts without the control plane serves its settings' policy", async () => {
    await sluice().changePolicy(policyWith(12));
    await sluice().controlPlane.killHard();
    await sluice().edge(0).restartHard();
    expect(await tokensServed(sluice())).toBe(`"default";q=${SETTINGS_TOKENS}`);
    await sluice().controlPlane.start();
    await servedByAll(sluice());
    const { token } = await sluice().api.issue();
    expect((await sluice().send({ token })).headers["ratelimit-policy"]).toBe('"default";q=12');
  });

  it("an edge with another secret gets no policy and is listed by its claimed name", async () => {
    await sluice().envoy.stop();
    await sluice().envoy.start({ SLUICE_SECRET: anotherSecret(sluice().secret) });
    await until(async () => {
      const denied = await sluice().api.unauthenticated();
      expect(denied).toMatchObject([{ claimedEdge: "sluice-edge", address: "127.0.0.1" }]);
    });
    expect(await sluiceCommand(sluice(), "edges")).toMatch(/their secret differs[^]*sluice-edge +127\.0\.0\.1/);
    expect(sluice().envoy.log).toMatch(/calls to cluster "sluice_control_plane" fail: .*SLUICE_SECRET differs/);
    await sluice().envoy.stop();
    await sluice().envoy.start();
    await sluice().current();
  });
});

describe("an edge that does not follow", () => {
  const sluice = useInstallation({
    policy: policyWith(10),
    settingsPolicy: policyWith(SETTINGS_TOKENS),
    follow: false,
  });

  it("an edge that does not follow is listed, and keeps its settings' policy", async () => {
    await until(async () => {
      expect(await viewOf(sluice())).toMatchObject({ state: "notFollowing", running: { 0: VMS } });
    });
    const before = await sluice().generation();
    sluice().writePolicy(policyWith(11));
    await until(async () => {
      expect(await sluice().generation()).toBe(before + 1);
    });
    const { token } = await sluice().api.issue();
    const answer = await sluice().send({ token });
    expect(answer.headers["ratelimit-policy"]).toBe(`"default";q=${SETTINGS_TOKENS}`);
    expect(await viewOf(sluice())).toMatchObject({ state: "notFollowing", received: null });
    expect(await sluiceCommand(sluice(), "edges")).toMatch(/sluice-edge +its own settings'/);
  });
});

describe("an Envoy without any policy", () => {
  const sluice = useInstallation({ policy: policyWith(10), controlPlane: false, awaitPolicy: false });

  it("an Envoy without a policy answers 503 though no policy comes, and serves once it has one", async () => {
    const answer = await sluice().send();
    expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
    expect(answer.body).not.toBe(UNAVAILABLE);
    expect(answer.body).toContain("Rate limiter has no policy yet");
    await until(async () => {
      expect(await sluice().envoyAdmin.sample('sluice_requests_total{outcome="no_policy"}')).toBeGreaterThan(0);
    });

    await sluice().controlPlane.start();
    await servedByAll(sluice());
    const { token } = await sluice().api.issue();
    expect((await sluice().send()).status).toBe(401);
    expect((await sluice().send({ token })).status).toBe(200);
  });
});
