// An Envoy starts with an empty session table under many sessions at once: each is asked about, and none is let in or
// denied because there were many.
import { describe, expect, it } from "vitest";
import type { IssuedSession } from "../harness/control-plane-client.js";
import { ask } from "../harness/http2-load.js";
import { useInstallation, type Installation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const LIVE = 800;
const REVOKED = 40;

const sessionsOf = async ({ api }: Installation, count: number): Promise<readonly IssuedSession[]> =>
  Promise.all(Array.from({ length: count }, () => api.issue()));

/** Statuses of one request of each session, all sent at once on one connection, so to one worker. */
async function atOnce(installation: Installation, sessions: readonly IssuedSession[]): Promise<Record<number, number>> {
  const [connection] = await installation.connect(1);
  if (connection === undefined) throw new Error("no connection");
  const answers = await Promise.all(sessions.map(({ token }) => ask(connection, { "x-session-id": token })));
  connection.close();
  const statuses: Record<number, number> = {};
  for (const status of answers) statuses[status] = (statuses[status] ?? 0) + 1;
  return statuses;
}

describe.each(["trust", "deny"] as const)("an Envoy that restarts under load, onUnreachable: %s", (onUnreachable) => {
  const sluice = useInstallation({
    policy: policyOf([{ name: "default", maxTokens: 10, tokenRefillRate: 0 }], { onUnreachable }),
  });

  it(`every live session gets 200 after a restart, every revoked one 401: ${onUnreachable}`, async () => {
    const live = await sessionsOf(sluice(), LIVE);
    const revoked = await sessionsOf(sluice(), REVOKED);
    for (const { id } of revoked) await sluice().api.revoke(id);
    await sluice().edge(0).restartHard();
    const every = LIVE / REVOKED;
    const mixed = live.flatMap((session, at) => [
      session,
      ...revoked.slice(at / every, at % every === 0 ? at / every + 1 : 0),
    ]);
    const statuses = await atOnce(sluice(), mixed);
    expect(statuses).toEqual({ 200: LIVE, 401: REVOKED });
  });
});
