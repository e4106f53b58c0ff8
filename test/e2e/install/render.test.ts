// What `sluice render` prints, in a real Envoy: whole configurations that Envoy accepts, and a filter file that it follows.
// The filter here answers with its configuration: how Sluice's filter reads the settings is tested elsewhere.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { findEnvoy } from "../../../scripts/get-envoy.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { runCommand } from "../../../scripts/run-command.js";
import { startProcess } from "../../../scripts/start/supervised-process.js";
import { compileFilter } from "../../host/harness/builds/compile-filter.js";
import { localCommand } from "../harness/cli.js";
import { EnvoyAdmin } from "../harness/envoy-admin.js";

const folder = mkdtempSync(join(tmpdir(), "sluice-render-"));
const filter = join(folder, "answers-configuration.wasm");
const policy = join(projectRoot, "policy.yaml");

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(filter, await compileFilter("validates-policy"));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What `sluice render …` prints. */
const rendered = (...args: string[]): Promise<string> => localCommand("render", ...args);

/** What Envoy says of a configuration that it does not start with. */
async function validated(configuration: string, name: string): Promise<string> {
  const file = join(folder, name);
  writeFileSync(file, configuration);
  const { stdout, stderr } = await runCommand(await findEnvoy(), ["--mode", "validate", "-c", file], { env: {} });
  return stdout + stderr;
}

describe("a configuration that sluice render envoy prints", () => {
  it.each([
    ["as it stands", []],
    ["with names of its own", ["--node-id", "gw-1", "--listen", "[::1]:10000", "--upstream", "service.example:80"]],
    ["with another cluster", ["--cluster", "limiter", "--control-plane", "127.0.0.1:8081", "--capacity", "1024"]],
    ["with a policy in its settings", ["--with-policy", policy, "--no-follow"]],
  ])("a configuration from sluice render envoy is accepted by Envoy %s", async (_, options) => {
    const yaml = await rendered("envoy", "--filter", filter, ...options);
    expect(await validated(yaml, "envoy.yaml")).toMatch(/ OK\n/);
    const json = await rendered("envoy", "--filter", filter, "--json", ...options);
    expect(await validated(json, "envoy.json")).toMatch(/ OK\n/);
  });

  it("a rendered configuration without its filter file is rejected by Envoy", async () => {
    const yaml = await rendered("envoy", "--filter", join(folder, "missing.wasm"));
    expect(await validated(yaml, "envoy.yaml")).not.toMatch(/ OK\n/);
  });
});

describe("a file that sluice render ecds-file prints", () => {
  const followed = join(folder, "followed.yaml");
  const stat = (name: string): string => `extension_config_discovery.http_filter.sluice.${name}`;

  async function replace(...options: string[]): Promise<void> {
    writeFileSync(`${followed}.new`, await rendered("ecds-file", ...options));
    renameSync(`${followed}.new`, followed);
  }

  it("a replaced filter file holds at once; a rejected one leaves the one before", async () => {
    const [proxy = 0, admin = 0] = await freePorts(2);
    await replace("--filter", filter);
    const config = join(folder, "follows.yaml");
    const listen = ["--listen", `127.0.0.1:${proxy}`, "--admin-port", String(admin)];
    writeFileSync(config, await rendered("envoy", "--followed-file", followed, ...listen));
    const envoy = await startProcess({
      name: "Envoy",
      command: await findEnvoy(),
      args: ["-c", config, "--concurrency", "2", "--disable-hot-restart", "-l", "warning"],
      env: { PATH: process.env.PATH },
      logFile: join(folder, "envoy.log"),
    });
    onTestFinished(async () => {
      await envoy.stop();
    });
    const served = async (): Promise<string> => (await fetch(`http://127.0.0.1:${proxy}/`)).text();
    const serves = (settings: string): Promise<void> =>
      until(async () => {
        expect(await served()).toBe(settings.trim());
      });
    await serves(await rendered("settings", "--json"));

    const stats = new EnvoyAdmin(admin);
    const taken = await stats.stat(stat("config_reload"));
    await replace("--filter", filter, "--capacity", "1024", "--with-policy", policy);
    await serves(await rendered("settings", "--json", "--capacity", "1024", "--with-policy", policy));
    await until(async () => {
      expect(await stats.stat(stat("config_reload"))).toBe(taken + 1);
    });

    const before = await served();
    await replace("--filter", join(folder, "missing.wasm"));
    await until(async () => {
      expect(await stats.stat(stat("update_rejected"))).toBeGreaterThan(0);
    });
    expect(await served()).toBe(before);
  });
});
