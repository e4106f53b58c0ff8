// An Envoy that stands still, as a frozen machine does: the control plane stops in spite of it, and it catches up after.
import { describe, expect, it, onTestFinished } from "vitest";
import type { IssuedSession } from "./harness/control-plane-client.js";
import { inTurns } from "./harness/in-turns.js";
import { useInstallation } from "./harness/installation.js";
import { policyOf } from "./harness/policy.js";
import { followed, reported } from "./harness/settled.js";

const sluice = useInstallation({
  edges: ["gw-1", "gw-2"],
  policy: policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0 }], {
    // Nobody gets in on trust, so that no answer here is a guess.
    onUnreachable: "deny",
    controlPlane: { reportInterval: 300 },
  }),
});

async function usedOnBoth(): Promise<IssuedSession> {
  const session = await sluice().api.issue();
  for (const edge of sluice().edges) expect(await edge.statuses(session.token, 1)).toEqual([200]);
  return session;
}

/** The second edge stands still from here on, until it is resumed or the test is over. */
function standStill() {
  const { envoy } = sluice().edge(1);
  envoy.pause();
  onTestFinished(() => {
    envoy.resume();
  });
  return envoy;
}

describe("a control plane that is told to stop while an Envoy hangs", () => {
  it("ends in order all the same, and has everything when it starts again", async () => {
    const [kept, revoked] = [await usedOnBoth(), await usedOnBoth()];
    await reported(sluice(), kept.id, 2);
    await sluice().api.revoke(revoked.id);
    const hanging = standStill();
    const issuedLast = await sluice().api.issue();
    expect(await sluice().controlPlane.stop()).toEqual({ code: 0, signal: null });

    await sluice().controlPlane.start();
    expect((await sluice().api.session(kept.id)).tokens.consumed).toBe(2);
    const states = await inTurns([kept, revoked, issuedLast], ({ id }) => sluice().api.session(id));
    expect(states.map(({ state }) => state)).toEqual(["live", "revoked", "live"]);
    hanging.resume();
    await followed(sluice());
    for (const edge of sluice().edges) {
      expect(await edge.statuses(kept.token, 2)).toEqual([200, 200]);
      expect(await edge.statuses(issuedLast.token, 1)).toEqual([200]);
      expect(await edge.statuses(revoked.token, 2)).toEqual([401, 401]);
    }
    await reported(sluice(), kept.id, 6);
  });
});
