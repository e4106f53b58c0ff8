// The control plane shows what an Envoy with two workers counts: the same, once, also after a kill -9 of it and a trap of a VM.
// The filter of these tests is built with such a trap: its validator traps at a plan named "trap".
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { testBuild, TRAPS } from "../harness/test-builds.js";

const KEPT = { name: "default", maxTokens: 10, tokenRefillRate: 0 };
const GOLD = { name: "gold", maxTokens: 1000, tokenRefillRate: 0 };
const OFTEN = { controlPlane: { reportInterval: 300 } };

const folder = mkdtempSync(join(tmpdir(), "sluice-builds-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const sluice = useInstallation(async () => ({
  policy: policyOf([KEPT, GOLD], OFTEN),
  filterPath: await testBuild(TRAPS, folder),
}));

/** By outcome, plan and limit, as both show them; those that are 0 are left out. */
type Requests = Readonly<Record<string, number>>;

async function atEnvoy(): Promise<Requests> {
  const requests = [...(await sluice().envoyAdmin.samples())].filter(([name]) =>
    name.startsWith("sluice_requests_total"),
  );
  return Object.fromEntries(requests.filter(([, count]) => count > 0));
}

/** Of this edge alone, without its name. */
async function atControlPlane(): Promise<Requests> {
  const counted = [...(await sluice().api.metrics())].flatMap(([name, count]): [string, number][] => {
    const [, labels] = /^sluice_edge_requests_total\{edge="sluice-edge",(.*)\}$/.exec(name) ?? [];
    return labels === undefined ? [] : [[`sluice_requests_total{${labels}}`, count]];
  });
  return Object.fromEntries(counted);
}

/** Each connection goes to either worker. */
async function traffic(): Promise<void> {
  const [few, many] = [await sluice().api.issue(), await sluice().api.issue("gold")];
  await sluice().statuses(few.token, 13);
  await sluice().statuses(many.token, 20);
  for (let i = 0; i < 10; i++) await sluice().send();
  for (let i = 0; i < 10; i++) await sluice().send({ token: "no token" });
}

const difference = (after: Requests, before: Requests): Requests =>
  Object.fromEntries(
    Object.entries(after)
      .map(([name, count]): [string, number] => [name, count - (before[name] ?? 0)])
      .filter(([, count]) => count > 0),
  );

async function answeredReports(): Promise<number> {
  const samples = [...(await sluice().envoyAdmin.samples())];
  const answered = samples.filter(([name]) => name.includes('call="report"') && name.includes('outcome="ok"'));
  return answered.reduce((sum, [, count]) => sum + count, 0);
}

/** Resolves when both workers have an answer to all that they have counted, and have told Envoy so. */
async function acknowledged(): Promise<void> {
  const before = await answeredReports();
  await until(async () => {
    expect(await answeredReports()).toBeGreaterThanOrEqual(before + 6);
  });
}

let atTheKill: Requests = {};

it("the control plane shows each request that Envoy shows, by the same labels", async () => {
  await traffic();
  await until(async () => {
    const shown = await atEnvoy();
    expect(shown).toMatchObject({
      'sluice_requests_total{outcome="allowed",plan="gold"}': 20,
      'sluice_requests_total{outcome="limited",plan="default",limit="default"}': 3,
      'sluice_requests_total{outcome="invalid"}': 10,
    });
    expect(await atControlPlane()).toEqual(shown);
  });
});

it("a control plane after a kill -9 counts what was not acknowledged, and nothing twice", async () => {
  await acknowledged();
  atTheKill = await atEnvoy();
  await sluice().controlPlane.killHard();
  const { length: asked } = await Promise.all(Array.from({ length: 8 }, () => sluice().send()));
  await sluice().controlPlane.start();
  await traffic();
  await until(async () => {
    const since = difference(await atEnvoy(), atTheKill);
    expect(since).toMatchObject({
      'sluice_requests_total{outcome="missing"}': asked + 10,
      'sluice_requests_total{outcome="allowed",plan="gold"}': 20,
    });
    expect(await atControlPlane()).toEqual(since);
  });
});

it("the sums of an edge only grow when the VM of one worker traps and begins anew", async () => {
  await acknowledged();
  let last = await atControlPlane();
  const grown = async (): Promise<Requests> => {
    const now = await atControlPlane();
    for (const [name, count] of Object.entries(last)) expect(now[name], name).toBeGreaterThanOrEqual(count);
    last = now;
    return now;
  };
  sluice().writePolicy(policyOf([KEPT, GOLD, { ...KEPT, name: "trap" }], OFTEN));
  await until(async () => {
    await sluice().send();
    await grown();
    expect((await sluice().api.edges())[0]).toMatchObject({ state: "trapped" });
  });
  // Whichever worker they come to: a VM that trapped is replaced by a request that meets it.
  await until(async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => sluice().send()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
  });
  const before = await grown();
  await traffic();
  await until(async () => {
    const since = difference(await grown(), before);
    expect(since).toMatchObject({
      'sluice_requests_total{outcome="allowed",plan="gold"}': 20,
      'sluice_requests_total{outcome="invalid"}': 10,
    });
  });
  const shown = difference(await atEnvoy(), atTheKill);
  for (const [name, count] of Object.entries(last)) expect(count, name).toBeLessThanOrEqual(shown[name] ?? 0);
});
