// Envoy is killed, or stands still, around a change of the policy: at whatever moment, it runs the published policy in the
// end.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { backUpStore, restoreStore } from "../../../control-plane/src/store/lmdb/backup.js";
import { until } from "../../../control-plane/test/support/until.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { WORKERS } from "../harness/processes.js";

const policyWith = (maxTokens: number) => policyOf([{ name: "default", maxTokens, tokenRefillRate: 0 }]);
const VMS = WORKERS + 1;
const sluice = useInstallation({ policy: policyWith(10), settingsPolicy: policyWith(99) });

/** Every VM of the Envoy that lives now runs the generation: one that was killed may still be listed beside it. */
async function runsOnAll(generation: number): Promise<void> {
  await until(async () => {
    const [edge] = await sluice().api.edges();
    const alive = edge?.instances.filter(({ watching }) => watching) ?? [];
    expect(alive.map(({ state }) => state)).toEqual(["current"]);
    expect(alive[0]?.workers.map((worker) => worker.generation)).toEqual(Array<number>(VMS).fill(generation));
  });
}

async function served(): Promise<string> {
  const { token } = await sluice().api.issue();
  const { status, headers } = await sluice().send({ token });
  expect(status).toBe(200);
  return String(headers["ratelimit-policy"]);
}

/** What a session has left after one more request. */
async function leftAfterOne(token: string): Promise<number> {
  const { ratelimit } = (await sluice().send({ token })).headers;
  return Number(/;r=(\d+)/.exec(String(ratelimit))?.[1]);
}

describe("an Envoy that is killed around a change of the policy", () => {
  it.each([0, 30, 100, 250])("an Envoy killed %i ms after the save runs the new policy once it is back", async (ms) => {
    const before = await sluice().generation();
    sluice().writePolicy(policyWith(20 + ms));
    await delay(ms);
    await sluice().edge(0).restartHard();
    await runsOnAll(before + 1);
    expect(await served()).toBe(`"default";q=${20 + ms}`);
  });
});

describe("an Envoy that stands still around a change of the policy", () => {
  it.each([0, 30, 100])("an Envoy stalled %i ms after the save takes the policy and loses no bucket", async (ms) => {
    const { token } = await sluice().api.issue();
    await sluice().statuses(token, 3);
    const left = await leftAfterOne(token);
    const before = await sluice().generation();
    sluice().writePolicy(policyWith(400 + ms));
    await delay(ms);
    sluice().envoy.pause();
    // Longer than a VM has to try a policy, so that another may take it for trapped.
    await delay(1500);
    sluice().envoy.resume();
    await runsOnAll(before + 1);
    expect(await served()).toBe(`"default";q=${400 + ms}`);
    expect(await leftAfterOne(token)).toBe(left - 1);
  });
});

describe("a control plane whose store is put back from a backup", () => {
  it("a restored store gives edges its policy, though they know a higher generation", async () => {
    const [data, backup] = [join(sluice().folder, "data"), join(sluice().folder, "backup")];
    await backUpStore(data, backup);
    for (const maxTokens of [601, 602, 603]) await sluice().changePolicy(policyWith(maxTokens));
    const known = await sluice().generation();
    await sluice().controlPlane.stop();
    await restoreStore(backup, data, { force: true, random: { bytes: (n) => randomBytes(n) } });
    sluice().writePolicy(policyWith(604));
    await sluice().controlPlane.start();
    const generation = await sluice().generation();
    expect(generation).toBeLessThan(known);
    await runsOnAll(generation);
    expect(await served()).toBe('"default";q=604');
  });
});
