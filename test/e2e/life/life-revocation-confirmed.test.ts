// An operator revokes with the command line and sees which of two Envoys deny the session by now.
import { expect, it, onTestFinished } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { INVALID } from "../harness/answers.js";
import { sluiceRun } from "../harness/cli.js";
import type { IssuedSession } from "../harness/control-plane-client.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { followed } from "../harness/settled.js";

const sluice = useInstallation({
  edges: ["gw-a", "gw-b"],
  policy: policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0 }], {
    onUnreachable: "deny",
    controlPlane: { reportInterval: 300 },
  }),
});

const command = (...args: string[]) => sluiceRun(sluice(), ...args);

/** A session that both Envoys serve. */
async function usedOnBoth(): Promise<IssuedSession> {
  await followed(sluice());
  const session = await sluice().api.issue("default", { userId: "mallory", orgId: "o1" });
  for (const edge of sluice().edges) expect(await edge.statuses(session.token, 1)).toEqual([200]);
  return session;
}

/** Stands still until the test is over, or is resumed before. */
function pauseSecond(): () => void {
  const { envoy } = sluice().edge(1);
  envoy.pause();
  onTestFinished(() => {
    envoy.resume();
  });
  return () => {
    envoy.resume();
  };
}

it("a session whose revocation is confirmed is denied by both edges at once", async () => {
  const { id, token } = await usedOnBoth();
  const ran = await command("session", "revoke", id);
  expect(ran).toMatchObject({ code: 0, stdout: `${id} is revoked; all 2 edges confirmed\n`, stderr: "" });
  for (const edge of sluice().edges) expect(await edge.send({ token })).toMatchObject({ status: 401, body: INVALID });
});

it("sluice session revoke names an Envoy that stands still, and confirms later", async () => {
  const { id, token } = await usedOnBoth();
  const resume = pauseSecond();
  const ran = await command("session", "revoke", id, "--wait", "5s");
  expect(ran).toMatchObject({
    code: 6,
    stdout: `${id} is revoked; 1 of 2 edges confirmed within 5 s, not: gw-b\n`,
  });
  expect(ran.stderr).toContain("UNCONFIRMED");
  expect((await sluice().edge(0).send({ token })).status).toBe(401);

  resume();
  const again = await until(async () => {
    const repeated = await command("session", "revoke", id);
    expect(repeated.code).toBe(0);
    return repeated;
  });
  expect(again.stdout).toBe(`${id} is revoked; all 2 edges confirmed\n`);
  expect((await sluice().edge(1).send({ token })).status).toBe(401);
});

it("sluice session revoke --user names an Envoy that stands still, and confirms later", async () => {
  const { token } = await usedOnBoth();
  const resume = pauseSecond();
  const ran = await command("session", "revoke", "--user", "mallory", "--wait", "5s", "--json");
  expect(ran.code).toBe(6);
  const { revocation } = JSON.parse(ran.stdout) as { revocation: { id: string } };
  expect(revocation).toMatchObject({ state: "finished", edges: 2, confirmed: 1, pending: ["gw-b"] });

  resume();
  await until(async () => {
    const { body } = await sluice().api.call("GET", `/v1/revocations/${revocation.id}`);
    expect(body).toMatchObject({ revocation: { edges: 2, confirmed: 2, pending: [] } });
  });
  for (const edge of sluice().edges) expect((await edge.send({ token })).status).toBe(401);
});
