// A policy in the wrong unit, saved while sessions are in use: each Envoy serves them on, until an operator confirms it.
import { expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { INVALID } from "../harness/answers.js";
import { sluiceCommand, sluiceRun } from "../harness/cli.js";
import { useInstallation } from "../harness/installation.js";
import { linesOf } from "../harness/log-lines.js";
import { policyOf } from "../harness/policy.js";

const SECOND_MS = 1000;
const living = (lifetime: number) =>
  policyOf([{ name: "default", maxTokens: 9_000_000, tokenRefillRate: 0, lifetime }], {
    sessions: { cleanupInterval: 200 },
  });
/** An hour in seconds is three and a half seconds. */
const WRONG_UNIT = living(3600);

const sluice = useInstallation({ edges: ["gw-1", "gw-2"], policy: living(3600 * SECOND_MS) });

interface Status {
  readonly source: { readonly state: string };
  readonly held: { readonly hash: string; readonly sessions: number } | null;
}

const status = async (): Promise<Status> =>
  JSON.parse(await sluiceCommand(sluice(), "policy", "status", "--json")) as Status;

it("sessions live on under a held policy, and end at every Envoy once it is confirmed", async () => {
  const { id, token } = await sluice().api.issue();
  const statuses = async (): Promise<number[]> =>
    (await Promise.all(sluice().edges.map((edge) => edge.statuses(token, 5)))).flat();
  const issuedMs = performance.now();
  expect(new Set(await statuses())).toEqual(new Set([200]));
  await until(() => {
    expect(performance.now() - issuedMs).toBeGreaterThan(4 * SECOND_MS);
  });

  sluice().writePolicy(WRONG_UNIT);
  const held = await until(async () => {
    const now = await status();
    if (now.held === null) throw new Error(`the policy is ${now.source.state}`);
    return now.held;
  });
  expect(held.sessions).toBe(1);
  expect(linesOf(sluice().controlPlane, "policy-held")).toMatchObject([{ hash: held.hash, sessions: 1 }]);
  const sweeps = () => linesOf(sluice().controlPlane, "session-cleanup").length;
  const before = sweeps();
  await until(async () => {
    expect(new Set(await statuses())).toEqual(new Set([200]));
    expect(sweeps()).toBeGreaterThan(before + 5);
  });
  expect([await sluice().generation(), (await sluice().api.session(id)).state]).toEqual([1, "live"]);

  expect(await sluiceRun(sluice(), "policy", "confirm", "0".repeat(16))).toMatchObject({ code: 1 });
  expect(await sluiceCommand(sluice(), "policy", "confirm", held.hash)).toContain("generation 2 is in force");
  await sluice().current();
  for (const edge of sluice().edges) {
    await until(async () => {
      expect(await edge.send({ token })).toMatchObject({ status: 401, body: INVALID });
    });
  }
  await until(async () => {
    expect((await sluice().api.call("GET", `/v1/sessions/${id}`)).status).toBe(404);
  });
  expect(await status()).toMatchObject({ source: { state: "taken" }, held: null });
});
