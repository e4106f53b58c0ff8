// After an outage: sessions that were admitted unverified are confirmed, many in a call, however many they are.
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { inTurns } from "../harness/in-turns.js";
import { ask } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const SESSIONS = 900;
/** A call has up to 64 sessions: 15 would do. One for each session, or a few, would be more than this. */
const MOST_CALLS = SESSIONS / 16;

const sluice = useInstallation({
  policy: policyOf([{ name: "default", maxTokens: 10, tokenRefillRate: 0 }], { onUnreachable: "trust" }),
});
const misses = (outcome: string) => sluice().envoyAdmin.sample(`sluice_misses_total{outcome="${outcome}"}`);

describe("an outage in which many sessions came", () => {
  it("sessions that came in an outage are all confirmed after its end, many in a call", async () => {
    const sessions = await inTurns(Array.from({ length: SESSIONS }), () => sluice().api.issue());
    await sluice().controlPlane.killHard();
    const [connection] = await sluice().connect(1);
    if (connection === undefined) throw new Error("no connection");
    const statuses = await inTurns(sessions, ({ token }) => ask(connection, { "x-session-id": token }));
    expect(new Set(statuses)).toEqual(new Set([200]));
    await until(async () => {
      expect(await misses("unverified")).toBe(SESSIONS);
    });
    await sluice().controlPlane.start();
    await until(async () => {
      expect(await misses("live")).toBeGreaterThanOrEqual(SESSIONS);
    });
    const calls = await sluice().envoyAdmin.sample('sluice_calls_total{outcome="ok",call="acquire"}');
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThanOrEqual(MOST_CALLS);
    connection.close();
  });
});
