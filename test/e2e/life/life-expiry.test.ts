// Expiry over two Envoys: idle sessions end and used ones do not, whichever Envoy saw the use, also over an outage.
import { describe, expect, it } from "vitest";
import { MIN_MAX_AGE_IN_REPORT_INTERVALS, SWEEP_ROUND_TICKS, TICK_MS } from "../../../assembly/contract.js";
import { until } from "../../../control-plane/test/support/until.js";
import { INVALID } from "../harness/answers.js";
import type { IssuedSession } from "../harness/control-plane-client.js";
import { inTurns } from "../harness/in-turns.js";
import { useInstallation } from "../harness/installation.js";
import { linesOf } from "../harness/log-lines.js";
import { policyOf } from "../harness/policy.js";
import { reported } from "../harness/settled.js";

const REPORT_INTERVAL_MS = 300;
const MAX_AGE_MS = MIN_MAX_AGE_IN_REPORT_INTERVALS * REPORT_INTERVAL_MS;
/** What an edge may be late with: two reports, and one round of its sweep. */
const GRACE_MS = 2 * REPORT_INTERVAL_MS + SWEEP_ROUND_TICKS * TICK_MS;
/** Many sessions are issued and used within it, also by a slow machine. */
const LIFETIME_MS = 8000;

const sluice = useInstallation({
  edges: ["gw-1", "gw-2"],
  policy: policyOf(
    [
      { name: "default", maxTokens: 9_000_000, tokenRefillRate: 0, maxAge: MAX_AGE_MS },
      { name: "brief", maxTokens: 9_000_000, tokenRefillRate: 0, lifetime: LIFETIME_MS },
    ],
    { controlPlane: { reportInterval: REPORT_INTERVAL_MS }, sessions: { cleanupInterval: 500 } },
  ),
});

async function usedOnBoth(plan?: string): Promise<IssuedSession> {
  const session = await sluice().api.issue(plan);
  for (const edge of sluice().edges) expect(await edge.statuses(session.token, 1)).toEqual([200]);
  return session;
}

/** Uses the session at one edge over and over while it waits for a condition. */
function whileUsed(edgeIndex: number, { token }: IssuedSession, condition: () => void | Promise<void>): Promise<void> {
  return until(async () => {
    // Not asserted in here: a denial would be tried again.
    used.push((await sluice().edge(edgeIndex).send({ token })).status);
    await condition();
  });
}
const used: number[] = [];

const stateOf = async ({ id }: IssuedSession): Promise<string> => (await sluice().api.session(id)).state;
const sweeps = () => linesOf(sluice().controlPlane, "session-cleanup");
const removals = () => linesOf(sluice().controlPlane, "session-removed");

/** That begin after now and have come to their end. */
async function twoMoreSweeps(): Promise<void> {
  const before = sweeps().length;
  await until(() => {
    expect(sweeps().length).toBeGreaterThanOrEqual(before + 2);
  });
}

describe("a session that is idle", () => {
  it("an idle session ends; one that a single edge sees goes on at both", async () => {
    const startedMs = Date.now();
    const idle = await usedOnBoth();
    const neverUsed = await sluice().api.issue();
    const active = await usedOnBoth();
    used.length = 0;
    await whileUsed(1, active, async () => {
      expect(await stateOf(idle)).toBe("expired");
      expect(await stateOf(neverUsed)).toBe("expired");
    });
    expect(Date.now() - startedMs).toBeGreaterThan(MAX_AGE_MS + GRACE_MS);
    expect(new Set(used)).toEqual(new Set([200]));
    expect(await stateOf(active)).toBe("live");

    for (const edge of sluice().edges) {
      expect(await edge.send({ token: idle.token })).toMatchObject({ status: 401, body: INVALID });
      expect(await edge.send({ token: neverUsed.token })).toMatchObject({ status: 401, body: INVALID });
      // Idle for as long as the other at gw-1, which asks and learns that it lives.
      expect(await edge.statuses(active.token, 3)).toEqual([200, 200, 200]);
    }
    await reported(sluice(), active.id, 2 + used.length + 6);

    await twoMoreSweeps();
    const ended = removals().filter(({ sessionId }) => sessionId === idle.id || sessionId === neverUsed.id);
    expect(ended.map(({ reason }) => reason)).toEqual(["idle", "idle"]);
    const swept = sweeps().reduce((sum, { removed }) => sum + Number(removed), 0);
    expect(swept).toBe(2);
    expect(sweeps().at(-1)).toMatchObject({ event: "session-cleanup", removed: 0, remaining: 1 });
  });

  it("a session in use survives an outage longer than its idle time", async () => {
    const sessions = [await usedOnBoth(), await usedOnBoth()] as const;
    await sluice().controlPlane.killHard();
    const goneMs = performance.now();
    used.length = 0;
    await whileUsed(0, sessions[0], async () => {
      used.push((await sluice().edge(1).send({ token: sessions[1].token })).status);
      expect(performance.now() - goneMs).toBeGreaterThan(MAX_AGE_MS + GRACE_MS);
    });
    // No report says yet what gw-2 saw.
    sluice().edge(1).envoy.pause();
    await sluice().controlPlane.start();
    await twoMoreSweeps();
    expect(new Set(used)).toEqual(new Set([200]));
    for (const session of sessions) {
      expect(await stateOf(session)).toBe("live");
      // In use again before gw-2 says how long ago it saw them.
      expect(await sluice().edge(0).statuses(session.token, 2)).toEqual([200, 200]);
    }
    sluice().edge(1).envoy.resume();
    for (const session of sessions) expect(await sluice().edge(1).statuses(session.token, 2)).toEqual([200, 200]);
    expect(removals().filter(({ sessionId }) => sessions.some(({ id }) => id === sessionId))).toEqual([]);
  });
});

describe("sessions past their lifetime", () => {
  it("an expired session is denied by both busy edges and leaves the store", async () => {
    const removedBefore = sweeps().reduce((sum, { removed }) => sum + Number(removed), 0);
    const sessions = await inTurns(Array.from({ length: 20 }), () => usedOnBoth("brief"));
    for (const { id, token } of sessions) {
      for (const edge of sluice().edges) {
        await until(async () => {
          expect((await edge.send({ token })).status).toBe(401);
        });
      }
      await until(async () => {
        expect((await sluice().api.call("GET", `/v1/sessions/${id}`)).status).toBe(404);
      });
      await until(() => {
        expect(removals().filter(({ sessionId }) => sessionId === id)).toMatchObject([{ reason: "expired" }]);
      });
    }
    await twoMoreSweeps();
    const removed = sweeps().reduce((sum, line) => sum + Number(line.removed), 0);
    expect(removed - removedBefore).toBeGreaterThanOrEqual(sessions.length);
    for (const { token } of sessions) expect(await sluice().statuses(token, 1)).toEqual([401]);
  });
});
