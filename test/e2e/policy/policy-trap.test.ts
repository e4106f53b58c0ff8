// A policy that traps the filter, in a real Envoy: one VM traps once, all others go on with the policy before, and the
// operator sees it. The filter of these tests is built with such a trap: its validator traps at a plan named "trap".
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { sluiceCommand } from "../harness/cli.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";
import { testBuild, TRAPS } from "../harness/test-builds.js";

/** Envoy replaces no VM that is younger than its backoff, 1 to 2 s by default: until then that worker answers 503. */
const RELOAD_BACKOFF_MS = 2500;
const KEPT = { name: "default", maxTokens: 10, tokenRefillRate: 0 };
const good = policyOf([KEPT]);
const trap = policyOf([KEPT, { name: "trap", maxTokens: 20, tokenRefillRate: 0 }]);
const next = policyOf([{ ...KEPT, maxTokens: 30 }]);

const folder = mkdtempSync(join(tmpdir(), "sluice-builds-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const sluice = useInstallation(async () => ({ policy: good, filterPath: await testBuild(TRAPS, folder) }));

const trips = () =>
  sluice()
    .envoy.log.split("\n")
    .filter((line) => /Function: proxy_on_\w+ failed/.test(line));

it("a policy that traps the filter costs one VM once, and every request is served", async () => {
  const { token } = await sluice().api.issue();
  const { status, headers } = await sluice().send({ token });
  expect([status, headers["ratelimit-policy"]]).toEqual([200, '"default";q=10']);
  await pass(RELOAD_BACKOFF_MS);
  sluice().writePolicy(trap);
  const invented: number[] = [];
  await until(async () => {
    invented.push((await sluice().send({ token: "A".repeat(48) })).status);
    expect((await sluice().api.edges())[0]).toMatchObject({ state: "trapped", received: { state: "trapped" } });
  });
  // A VM that trapped is replaced by the next request that meets it.
  for (let i = 0; i < 20; i++) invented.push((await sluice().send({ token: "A".repeat(48) })).status);
  expect(new Set(invented)).toEqual(new Set([401]));
  expect(trips()).toHaveLength(1);
  expect(await sluiceCommand(sluice(), "edges")).toMatch(/sluice-edge +trapped the filter/);
  expect(sluice().envoy.log).toMatch(/policy generation \d+ trapped the VM that tried it/);
});

it("sessions keep their level at each worker after a policy that traps", async () => {
  const { token } = await sluice().api.issue();
  expect(await sluice().statuses(token, 11)).toEqual([...Array<number>(10).fill(200), 429]);
});

it("a policy after one that traps is taken by all workers", async () => {
  const before = await sluice().generation();
  sluice().writePolicy(next);
  const { token } = await sluice().api.issue();
  await until(async () => {
    // The state stays behind for a while: the VM that trapped counts until it has been silent for the window.
    expect((await sluice().api.edges())[0]?.received).toEqual({ generation: before + 1, state: "ok" });
    for (let i = 0; i < 8; i++) {
      expect((await sluice().send({ token })).headers["ratelimit-policy"]).toBe('"default";q=30');
    }
  });
  expect(trips()).toHaveLength(1);
});
