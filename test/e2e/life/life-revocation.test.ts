// Revocation over two Envoys: it ends a session everywhere, and nothing brings that session back.
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { INVALID } from "../harness/answers.js";
import { storeAdmin } from "../harness/cli.js";
import type { IssuedSession, Owner } from "../harness/control-plane-client.js";
import { drive, times } from "../harness/http2-load.js";
import { inTurns } from "../harness/in-turns.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { followed, reported } from "../harness/settled.js";

const policy = policyOf(
  [
    { name: "default", maxTokens: 100, tokenRefillRate: 0 },
    { name: "large", maxTokens: 9_000_000, tokenRefillRate: 0 },
  ],
  // An edge that cannot ask admits no session unverified, so that each answer here is certain.
  { onUnreachable: "deny", controlPlane: { reportInterval: 300 } },
);
// In the settings too: an edge starts here also while the control plane is away.
const sluice = useInstallation({ edges: ["gw-1", "gw-2"], policy, settingsPolicy: policy });

async function usedOnBoth(plan?: string, owner?: Owner): Promise<IssuedSession> {
  const session = await sluice().api.issue(plan, owner);
  for (const edge of sluice().edges) expect(await edge.statuses(session.token, 1)).toEqual([200]);
  return session;
}

/** Resolves when every edge denies the session; with how many requests they admitted meanwhile. */
async function deniedByAll({ token }: IssuedSession): Promise<number> {
  let admitted = 0;
  for (const edge of sluice().edges) {
    await until(async () => {
      const answer = await edge.send({ token });
      if (answer.status === 200) admitted++;
      expect(answer).toMatchObject({ status: 401, body: INVALID });
    });
  }
  return admitted;
}

describe("a session that is revoked", () => {
  it("a revoked session ends under load on every connection of both edges", async () => {
    const [revoked, other] = [await usedOnBoth("large"), await usedOnBoth("large")];
    const connections = (await Promise.all(sluice().edges.map((edge) => edge.connect(4)))).flat();
    let over = false;
    onTestFinished(() => {
      over = true;
    });
    let sent = 0;
    const load = ({ token }: IssuedSession) =>
      drive({ connections, inFlight: 1, next: () => (over ? null : { "x-session-id": token, "x-number": sent++ }) });
    const loads = [load(revoked), load(other)] as const;
    await until(() => {
      expect(sent).toBeGreaterThan(400);
    });
    await sluice().api.revoke(revoked.id);
    const probed = await deniedByAll(revoked);
    // Each edge has denied it once: from here on there is no other answer.
    const after = await drive({ connections, inFlight: 4, next: times(400, { "x-session-id": revoked.token }) });
    expect(after.statuses).toEqual({ 401: 400 });
    over = true;

    const [ofRevoked, ofOther] = [await loads[0], await loads[1]];
    expect([...after.failures, ...ofRevoked.failures, ...ofOther.failures]).toEqual([]);
    expect(Object.keys(ofRevoked.statuses).filter((status) => status !== "200")).toEqual(["401"]);
    expect(Object.keys(ofOther.statuses)).toEqual(["200"]);
    for (const session of connections) session.close();
    // What was spent up to then still counts.
    await reported(sluice(), revoked.id, (ofRevoked.statuses[200] ?? 0) + probed + sluice().edges.length);
  });

  it("a revocation survives the restart of an edge, of the control plane, and of both", async () => {
    const session = await usedOnBoth();
    await sluice().api.revoke(session.id);
    await deniedByAll(session);
    const [one, two] = [sluice().edge(0), sluice().edge(1)];
    await one.restartHard();
    expect(await one.statuses(session.token, 3)).toEqual([401, 401, 401]);
    await sluice().controlPlane.killHard();
    expect(await two.statuses(session.token, 3)).toEqual([401, 401, 401]);
    // It has forgotten, and nobody is there to ask.
    await two.restartHard();
    expect(await two.statuses(session.token, 3)).toEqual([503, 503, 503]);
    await sluice().controlPlane.start();
    for (const edge of [one, two]) expect(await edge.statuses(session.token, 3)).toEqual([401, 401, 401]);
  });

  it("a revoked session is denied by an edge that stood still, once it goes on", async () => {
    const [one, two] = [sluice().edge(0), sluice().edge(1)];
    const sessions = await inTurns(Array.from({ length: 10 }), () => usedOnBoth());
    two.envoy.pause();
    for (const { id } of sessions) await sluice().api.revoke(id);
    for (const { token } of sessions) {
      await until(async () => {
        expect((await one.send({ token })).status).toBe(401);
      });
    }
    // So that its held watch is gone too.
    await sluice().controlPlane.killHard();
    await sluice().controlPlane.start();
    two.envoy.resume();
    for (const session of sessions) await deniedByAll(session);
  });
});

describe("all sessions of a user or an organisation", () => {
  it.each([
    ["a user", "userId", { userId: "mallory", orgId: "o2" }, { userId: "alice", orgId: "o2" }],
    ["an organisation", "orgId", { userId: "bob", orgId: "o3" }, { userId: "bob", orgId: "o4" }],
  ] as const)(
    "sessions of %s end at both edges when it is cut off, and nobody else's",
    async (_who, field, owner, bystander) => {
      const cutOff = await inTurns(Array.from({ length: 30 }), () => usedOnBoth("default", owner));
      const spared = await usedOnBoth("default", bystander);
      const { status, body } = await sluice().api.call("DELETE", `/v1/sessions?${field}=${owner[field]}`);
      expect(status).toBe(202);
      const { id } = (body as { revocation: { id: string } }).revocation;
      await inTurns(cutOff, deniedByAll);
      await until(async () => {
        const { body: progress } = await sluice().api.call("GET", `/v1/revocations/${id}`);
        expect(progress).toMatchObject({ revocation: { state: "finished", revoked: cutOff.length } });
      });
      for (const edge of sluice().edges) expect(await edge.statuses(spared.token, 2)).toEqual([200, 200]);
      // It is about the sessions that there were.
      await usedOnBoth("default", owner);
    },
  );
});

describe("a store restored from a backup", () => {
  it("after a restore sessions keep their level, lost ones end, revocations go on", async () => {
    const [kept, revokedLater] = [await usedOnBoth(), await usedOnBoth()];
    const backup = join(sluice().folder, "backup.mdb");
    await storeAdmin(sluice(), "backup", backup);

    const issuedLater = await usedOnBoth();
    for (const edge of sluice().edges) await edge.statuses(kept.token, 39);
    await reported(sluice(), kept.id, 80);
    await sluice().api.revoke(revokedLater.id);
    await deniedByAll(revokedLater);
    await sluice().controlPlane.stop();
    await storeAdmin(sluice(), "restore", backup, "--force");
    await sluice().controlPlane.start();
    await followed(sluice());

    for (const edge of sluice().edges) {
      // The edge knows better than the backup what was spent.
      expect((await edge.send({ token: kept.token })).headers.ratelimit).toBe('"default";r=59');
      expect(await edge.statuses(issuedLater.token, 2)).toEqual([401, 401]);
      // The store has forgotten that it was revoked; this edge has not.
      expect(await edge.statuses(revokedLater.token, 2)).toEqual([401, 401]);
    }
    // Absolute figures: the next report makes up for all that the backup lacked.
    await reported(sluice(), kept.id, 82);
    await sluice().api.revoke(kept.id);
    await deniedByAll(kept);
  });
});
