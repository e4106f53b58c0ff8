// The control plane's wall clock is set while it runs and at a start: what becomes of sessions that an Envoy uses.
import { describe, expect, it } from "vitest";
import { SWEEP_ROUND_TICKS, TICK_MS } from "../../assembly/contract.js";
import { until } from "../../control-plane/test/support/until.js";
import { useInstallation } from "../e2e/harness/installation.js";
import { linesOf } from "../e2e/harness/log-lines.js";
import { policyOf } from "../e2e/harness/policy.js";
import { reported } from "../e2e/harness/settled.js";
import { settableWallClock } from "../e2e/harness/wall-clock.js";

const REPORT_INTERVAL_MS = 300;
const GRACE_MS = 2 * REPORT_INTERVAL_MS + SWEEP_ROUND_TICKS * TICK_MS;
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const YEAR_S = 365 * DAY_S;
const MAX_TOKENS = 20;

const clock = await settableWallClock();
const sluice = useInstallation({
  controlPlaneEnv: clock.env,
  policy: policyOf(
    [
      {
        name: "default",
        maxTokens: 9_000_000,
        tokenRefillRate: 0,
        maxAge: 2 * HOUR_S * 1000,
        lifetime: 2 * YEAR_S * 1000,
      },
      {
        name: "idle",
        maxTokens: 9_000_000,
        tokenRefillRate: 0,
        maxAge: 4 * REPORT_INTERVAL_MS,
        lifetime: 2 * YEAR_S * 1000,
      },
      { name: "daily", maxTokens: 9_000_000, tokenRefillRate: 0, lifetime: DAY_S * 1000 },
      // An hour fills it nine times over, half a minute gives one token or two.
      { name: "slow", maxTokens: MAX_TOKENS, tokenRefillRate: 0.05, lifetime: 2 * YEAR_S * 1000 },
      {
        name: "single",
        maxTokens: 9_000_000,
        tokenRefillRate: 0,
        maxSessionsPerUser: 2,
        onMaxSessions: "removeOldest",
      },
    ],
    { controlPlane: { reportInterval: REPORT_INTERVAL_MS }, sessions: { cleanupInterval: 500 } },
  ),
});

const lines = (type: string) => linesOf(sluice().controlPlane, type);
const stateOf = async ({ id }: { id: string }): Promise<string> => (await sluice().api.session(id)).state;

/** Resolves after one more line of this type. */
async function oneMore(type: string, meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<void> {
  const before = lines(type).length;
  await until(async () => {
    await meanwhile();
    expect(lines(type).length).toBeGreaterThan(before);
  });
}

/** Uses each session again and again; answers what came of it. */
function using(tokens: readonly string[]) {
  const statuses = new Set<number>();
  const use = async (): Promise<void> => {
    for (const token of tokens) statuses.add((await sluice().send({ token })).status);
  };
  return { use, statuses };
}

describe("the wall clock of a control plane that runs", () => {
  it("a step ahead ends no session that is in use and refills no bucket, also once it counts", async (context) => {
    clock.needed(context);
    // Two sweeps of a clock that has been right for a grace.
    await oneMore("session-cleanup");
    const [used, slow] = [await sluice().api.issue("idle"), await sluice().api.issue("slow")];
    expect(await sluice().statuses(slow.token, MAX_TOKENS)).toEqual(Array(MAX_TOKENS).fill(200));
    await reported(sluice(), slow.id, MAX_TOKENS);
    const { use, statuses } = using([used.token]);
    for (const aheadS of [HOUR_S, HOUR_S + YEAR_S]) {
      clock.ahead(aheadS);
      await oneMore("clock-jumped", use);
      await oneMore("clock-jump-counts", use);
      await oneMore("session-cleanup", use);
      await oneMore("session-cleanup", use);
    }
    expect([...statuses]).toEqual([200]);
    expect(await stateOf(used)).toBe("live");

    await sluice().envoy.killHard();
    await sluice().envoy.start();
    const after = await sluice().statuses(slow.token, MAX_TOKENS);
    expect(after.filter((status) => status === 200).length).toBeLessThanOrEqual(6);
    expect((await sluice().api.metrics()).get('sluice_control_clock_jumps_total{direction="forward"}')).toBe(2);
    clock.ahead(0);
    await oneMore("clock-jump-counts");
  });

  it("a clock that was a year ahead for less than a grace ends nothing, and nothing is removed", async (context) => {
    clock.needed(context);
    const [daily, unused] = [await sluice().api.issue("daily"), await sluice().api.issue("daily")];
    const { use, statuses } = using([daily.token]);
    await use();
    clock.ahead(YEAR_S);
    await oneMore("clock-jumped", use);
    expect(await stateOf(unused)).toBe("live");
    clock.ahead(0);
    await oneMore("clock-jump-undone", use);
    await oneMore("session-cleanup", use);
    expect([await stateOf(daily), await stateOf(unused), [...statuses]]).toEqual(["live", "live", [200]]);
    expect((await sluice().send({ token: unused.token })).status).toBe(200);
  });

  it("after a step back of an hour a user's oldest session gives way, not the one just issued", async (context) => {
    clock.needed(context);
    const owner = { userId: "single", orgId: "o1" };
    const issued = [await sluice().api.issue("single", owner), await sluice().api.issue("single", owner)];
    clock.ahead(-HOUR_S);
    await oneMore("clock-jump-counts");
    for (let i = 0; i < 2; i++) issued.push(await sluice().api.issue("single", owner));
    expect(await Promise.all(issued.map(stateOf))).toEqual(["revoked", "revoked", "live", "live"]);
    clock.ahead(0);
    await oneMore("clock-jump-counts");
  });
});

describe("the wall clock at a start of the control plane", () => {
  it("a start with the clock a year ahead removes nothing, and the next one is as before", async (context) => {
    clock.needed(context);
    const daily = await sluice().api.issue("daily");
    const { use, statuses } = using([daily.token]);
    await use();
    await sluice().controlPlane.killHard();
    clock.ahead(YEAR_S);
    await sluice().controlPlane.start();
    const ahead = await sluice().api.issue("daily");
    const sweepsBefore = lines("session-cleanup").length;
    const startedMs = performance.now();
    await until(async () => {
      await use();
      expect(performance.now() - startedMs).toBeGreaterThan(GRACE_MS * 0.7);
    });
    expect(lines("session-cleanup").length).toBe(sweepsBefore);

    await sluice().controlPlane.killHard();
    clock.ahead(0);
    await sluice().controlPlane.start();
    await oneMore("session-cleanup", use);
    expect([await stateOf(daily), [...statuses]]).toEqual(["live", [200]]);
    expect((await sluice().send({ token: ahead.token })).status).toBe(200);
    expect(lines("sessions-ahead").at(-1)).toMatchObject({ level: "error" });
    const { id } = await sluice().api.issue();
    expect(id < ahead.id).toBe(true);
  });
});
