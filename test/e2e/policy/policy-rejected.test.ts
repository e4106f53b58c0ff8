// Filter and policy of different versions: a filter with one field less rejects what it cannot know, tells the operator
// which field, and goes on with the policy that it has; the code that knows the field takes over under load.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { EdgeSettings } from "../../../control-plane/src/render/edge-settings.js";
import { until } from "../../../control-plane/test/support/until.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { sluiceCommand } from "../harness/cli.js";
import { drive } from "../harness/http2-load.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { testBuild, WITHOUT_ON_MISS } from "../harness/test-builds.js";

const policyWith = (maxTokens: number) =>
  policyOf([
    { name: "small", maxTokens, tokenRefillRate: 0 },
    { name: "large", maxTokens: 9_000_000, tokenRefillRate: 0 },
  ]);

/** As a program without the field writes them. */
function withoutOnMiss(settings: EdgeSettings): EdgeSettings {
  const policy: Record<string, unknown> = { ...settings.policy };
  delete policy.onMiss;
  return { ...settings, policy: policy as unknown as NonNullable<EdgeSettings["policy"]> };
}

const folder = mkdtempSync(join(tmpdir(), "sluice-builds-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
let older = "";
const sluice = useInstallation(async () => {
  older = await testBuild(WITHOUT_ON_MISS, folder);
  return {
    policy: policyWith(10),
    settingsPolicy: policyWith(99),
    settings: withoutOnMiss,
    filterPath: older,
    followedFilter: true,
    awaitPolicy: false,
  };
});

async function rejected(generation: number): Promise<void> {
  await until(async () => {
    const [edge] = await sluice().api.edges();
    expect(edge).toMatchObject({ state: "rejected", received: { generation, state: "rejected" } });
    expect(edge?.violations).toMatchObject([{ path: "onMiss" }]);
  });
}

/** Of a new session. */
async function capacity(): Promise<string> {
  const { token } = await sluice().api.issue("small");
  const answer = await sluice().send({ token });
  expect(answer.status).toBe(200);
  return String(answer.headers["ratelimit-policy"]);
}

it("a filter without a field rejects a policy that has it, and keeps the one before", async () => {
  await rejected(await sluice().generation());
  expect(await capacity()).toBe('"small";q=99');
  const shown = await sluiceCommand(sluice(), "edges");
  expect(shown).toMatch(/sluice-edge +rejected /);
  expect(shown).toContain("onMiss");
  expect(sluice().envoy.log).toMatch(/policy generation \d+ rejected: onMiss/);
});

it("a filter without a field tries and rejects each newer policy once", async () => {
  const before = await sluice().generation();
  sluice().writePolicy(policyWith(11));
  await rejected(before + 1);
  expect(await capacity()).toBe('"small";q=99');
  const lines = sluice().envoy.log.split("\n");
  expect(lines.filter((line) => line.includes(`policy generation ${before + 1} rejected`))).toHaveLength(1);
});

it("a build that knows the field takes the policy under load without a failed request", async () => {
  const connections = await sluice().connect(4);
  const spender = await sluice().api.issue("large");
  const left = async (): Promise<number> =>
    Number(/;r=(\d+)/.exec(String((await sluice().send({ token: spender.token })).headers.ratelimit))?.[1]);
  const before = await left();
  let over = false;
  const load = drive({ connections, inFlight: 2, next: () => (over ? null : { "x-session-id": spender.token }) });
  sluice().replaceFilter(join(projectRoot, "build/sluice.wasm"));
  const generation = await sluice().generation();
  await until(async () => {
    const [edge] = await sluice().api.edges();
    expect(edge?.received).toEqual({ generation, state: "ok" });
    // One after the other, so that both workers are asked.
    for (let i = 0; i < 8; i++) expect(await capacity()).toBe('"small";q=11');
  });
  over = true;
  const { statuses, failures } = await load;
  expect(failures).toEqual([]);
  expect(Object.keys(statuses)).toEqual(["200"]);
  expect(before - (await left())).toBe((statuses[200] ?? 0) + 1);
  for (const session of connections) session.close();
});

it("an older build put back serves its settings' policy without a failed request", async () => {
  const connections = await sluice().connect(4);
  const { token } = await sluice().api.issue("large");
  await sluice().statuses(token, 1);
  let over = false;
  const load = drive({ connections, inFlight: 2, next: () => (over ? null : { "x-session-id": token }) });
  sluice().replaceFilter(older);
  await rejected(await sluice().generation());
  await until(async () => {
    expect(await capacity()).toBe('"small";q=99');
  });
  over = true;
  const { statuses, failures } = await load;
  expect(failures).toEqual([]);
  expect(Object.keys(statuses)).toEqual(["200"]);
  for (const session of connections) session.close();
});
