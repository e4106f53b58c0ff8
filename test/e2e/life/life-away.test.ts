// An Envoy that stands still, as on a frozen machine: the control plane can stop meanwhile, and the Envoy catches up later.
import { describe, expect, it, onTestFinished } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import type { IssuedSession } from "../harness/control-plane-client.js";
import { inTurns } from "../harness/in-turns.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { followed, reported } from "../harness/settled.js";

const sluice = useInstallation({
  edges: ["gw-1", "gw-2"],
  policy: policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0 }], {
    // No session is admitted unverified, so that each answer here is certain.
    onUnreachable: "deny",
    controlPlane: { reportInterval: 300 },
  }),
});

async function usedOnBoth(): Promise<IssuedSession> {
  const session = await sluice().api.issue();
  for (const edge of sluice().edges) expect(await edge.statuses(session.token, 1)).toEqual([200]);
  return session;
}

const several = (count: number): Promise<IssuedSession[]> => inTurns(Array.from({ length: count }), usedOnBoth);

/** The second edge stands still from here on, until it is resumed or the test is over. */
function standStill() {
  const { envoy } = sluice().edge(1);
  envoy.pause();
  onTestFinished(() => {
    envoy.resume();
  });
  return envoy;
}

/** Resolves when the control plane has forgotten what came right after this cursor in its log. */
async function trimmedBeyond(since: { log: string; cursor: number }): Promise<void> {
  await until(async () => {
    expect(await watch({ log: since.log, since: since.cursor })).toMatchObject({ reset: true });
  });
}

/** The log's name and head, as an edge gets them that has none yet. */
const headOfLog = async () => (await watch({ since: 0 })) as { log: string; cursor: number };

async function watch(cursor: { log?: string; since: number }): Promise<unknown> {
  const about = { edge: "a-probe", instance: "0".repeat(16) };
  const { status, body } = await sluice().api.call(
    "POST",
    "/edge/v1/watch",
    { ...about, ...cursor },
    { authorization: `Bearer ${sluice().mint.edgeCredential}` },
  );
  expect(status).toBe(200);
  return body;
}

describe("a control plane that is stopped while an Envoy hangs", () => {
  it("a control plane stops in order beside a hanging Envoy, and loses nothing", async () => {
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

describe("an Envoy that stood still for longer than the invalidation log goes back", () => {
  it("an Envoy behind the log denies revoked sessions, and others keep their level", async () => {
    const live = await usedOnBoth();
    expect(await sluice().edge(1).statuses(live.token, 20)).toEqual(Array<number>(20).fill(200));
    const revoked = await several(5);
    await reported(sluice(), live.id, 22);
    await followed(sluice());
    const lastCursor = await headOfLog();
    const hanging = standStill();
    for (const { id } of revoked) await sluice().api.revoke(id);
    await sluice().controlPlane.stop();
    await sluice().controlPlane.start({ SLUICE_INVALIDATIONS_ENTRIES: "1" });
    // The log is trimmed once the clock has settled after the start.
    await trimmedBeyond(lastCursor);

    hanging.resume();
    await followed(sluice());
    for (const edge of sluice().edges) {
      for (const { token } of revoked) expect(await edge.statuses(token, 2)).toEqual([401, 401]);
    }
    expect((await sluice().edge(1).send({ token: live.token })).headers.ratelimit).toBe('"default";r=78');
    await reported(sluice(), live.id, 23);
  });
});
