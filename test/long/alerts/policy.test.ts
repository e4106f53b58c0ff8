// Each alert about the policy fires for the fault that it names, at a real Prometheus that scrapes a real installation.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { useInstallation } from "../../e2e/harness/installation.js";
import { policyOf } from "../../e2e/harness/policy.js";
import { testBuild, TRAPS } from "../../e2e/harness/test-builds.js";
import { useMonitoring } from "./harness/monitoring.js";

const HOUR_MS = 3_600_000;
const KEPT = { name: "default", maxTokens: 10, tokenRefillRate: 0, lifetime: HOUR_MS };
/** Short, so that the window in which a worker has to report is 10 s and little more. */
const often = { controlPlane: { reportInterval: 100 } };
const GOOD = policyOf([KEPT], often);

const folder = mkdtempSync(join(tmpdir(), "sluice-alerts-policy-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("files of the control plane", () => {
  const issuers = join(folder, "issuers.yaml");
  const sluice = useInstallation(() => {
    writeFileSync(issuers, "[]\n");
    return Promise.resolve({ policy: GOOD, controlPlaneEnv: { SLUICE_ISSUERS_FILE: issuers } });
  });
  const monitoring = useMonitoring(() => [{ job: "sluice", port: sluice().ports.status }]);

  it("an operator is told of a policy file that is rejected, until it is mended", async () => {
    await monitoring().quiet("SluicePolicyFileRejected");
    sluice().writePolicy("version: 1\nplans: none\n");
    await monitoring().fires("SluicePolicyFileRejected");
    sluice().writePolicy(GOOD);
    await monitoring().ends("SluicePolicyFileRejected");
  });

  it("an operator is told of a policy that would end sessions, until the file is mended", async () => {
    await monitoring().quiet("SluicePolicyHeld");
    const { id } = await sluice().api.issue();
    await pass(4000);
    sluice().writePolicy(policyOf([{ ...KEPT, lifetime: 3600 }], often));
    await monitoring().fires("SluicePolicyHeld");
    sluice().writePolicy(GOOD);
    await monitoring().ends("SluicePolicyHeld");
    expect((await sluice().api.session(id)).state).toBe("live");
  });

  it("an operator is told of an issuers' file that is rejected, until it is mended", async () => {
    await monitoring().quiet("SluiceIssuersFileRejected");
    writeFileSync(issuers, "- name: Login\n");
    await monitoring().fires("SluiceIssuersFileRejected");
    writeFileSync(issuers, "[]\n");
    await monitoring().ends("SluiceIssuersFileRejected");
  });

  it("an operator is told of a policy that a filter cannot serve, until it is put back", async () => {
    await monitoring().quiet("SluicePolicyRejected");
    const settles = [{ match: { prefix: "/" }, cost: 5, settle: { header: "x-cost" } }];
    sluice().writePolicy(policyOf([KEPT], { ...often, routes: settles }));
    await monitoring().fires("SluicePolicyRejected");
    sluice().writePolicy(GOOD);
    await monitoring().ends("SluicePolicyRejected");
  });
});

describe("a policy that traps the filter", () => {
  const sluice = useInstallation(async () => ({ policy: GOOD, filterPath: await testBuild(TRAPS, folder) }));
  const monitoring = useMonitoring(() => [{ job: "sluice", port: sluice().ports.status }]);

  it("an operator is told of a policy that traps, and of the worker that is gone by it", async () => {
    await monitoring().quiet("SluicePolicyTrapped", "SluiceWorkerSilent");
    sluice().writePolicy(policyOf([KEPT, { ...KEPT, name: "trap" }], often));
    await monitoring().fires("SluicePolicyTrapped");
    // Nothing comes to that VM that would replace it.
    await monitoring().fires("SluiceWorkerSilent", { edge: "sluice-edge" });
    sluice().writePolicy(GOOD);
    await monitoring().ends("SluicePolicyTrapped");
  });
});
