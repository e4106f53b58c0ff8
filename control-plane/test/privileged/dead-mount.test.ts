// A policy on a mount that is dead: starts, stops and readings end all the same.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";

import { deadMount, needsDeadMount } from "../support/dead-mount.js";
import { ControlPlaneProcess, settingsIn, temporaryFolder, withStoredPolicy } from "../support/process.js";

const POLICY = "version: 1\nplans:\n  - { id: 0, name: starter, maxTokens: 200, tokenRefillRate: 10 }\n";

describe("a policy on a mount that is dead", () => {
  /** The policy in a folder of its own, over which a mount may come. */
  async function elsewhere(): Promise<{ settings: Record<string, string>; folder: string }> {
    const settings = await withStoredPolicy();
    const folder = temporaryFolder();
    renameSync(settings.SLUICE_POLICY ?? "", join(folder, "policy.yaml"));
    return { settings: { ...settings, SLUICE_POLICY: join(folder, "policy.yaml") }, folder };
  }

  it("a start serves the stored policy, and a stop ends it by the signal it was given", async (context) => {
    needsDeadMount(context);
    const { settings, folder } = await elsewhere();
    deadMount(folder);
    const plane = new ControlPlaneProcess(settings);
    expect((await fetch(`${await plane.listening()}/readyz`)).status).toBe(200);
    expect(JSON.stringify(await plane.logLine("policy-rejected"))).toContain("cannot be read: no answer within 5 s");
    plane.kill("SIGTERM");
    expect(await plane.ended).toEqual({ code: null, signal: "SIGTERM" });
    expect(plane.stdout).toContain('"type":"stopping"');
  });

  it("a running control plane serves on, and takes the policy when the mount is back", async (context) => {
    needsDeadMount(context);
    const { settings, folder } = await elsewhere();
    const plane = new ControlPlaneProcess(settings);
    const url = await plane.listening();
    const unmount = deadMount(folder);
    await plane.logLine("policy-rejected");
    // Each look has ended by its deadline; so many threads would be gone if each had one.
    for (let call = 0; call < 20; call++) expect((await fetch(`${url}/readyz`)).status).toBe(200);
    unmount();
    writeFileSync(join(folder, "policy.yaml"), POLICY);
    await vi.waitFor(() => {
      expect(plane.stdout).toContain('"type":"policy-accepted"');
    }, 20_000);
    plane.kill("SIGTERM");
    expect(await plane.ended).toEqual({ code: 0, signal: null });
  });

  it("a first start without a stored policy ends, and says that there was no answer", async (context) => {
    needsDeadMount(context);
    const folder = temporaryFolder();
    const settings = { ...settingsIn(), SLUICE_POLICY: join(folder, "policy.yaml") };
    deadMount(folder);
    const plane = new ControlPlaneProcess(settings);
    expect(await plane.ended).toEqual({ code: null, signal: "SIGKILL" });
    expect(plane.stderr).toContain("cannot be read: no answer within 5 s");
  });
});
