// The command as a process: its launcher, its streams, files and signals.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

import { runCommand } from "../../../scripts/run-command.js";
import type { Run } from "../../../scripts/run-command.js";
import { compiledMain } from "../support/compiled-sources.js";
import { ADMIN_TOKEN, created, startTestControlPlane } from "../support/control-plane.js";
import { temporaryFolder } from "../support/process.js";

const LAUNCHER = "control-plane/src/cli/launcher.mjs";
const root = fileURLToPath(new URL("../../../", import.meta.url));
const program = (): string => join(dirname(compiledMain()), "cli/main.js");

/** Resolves once it has ended. Nothing of this process's environment but where programs are. */
const run = (script: string, args: readonly string[], env: Record<string, string> = {}): Promise<Run> =>
  runCommand(process.execPath, [script, ...args], { env: { PATH: process.env.PATH, ...env } });

it("the command reads the token from a file, prints the result and ends with the exit code", async () => {
  const plane = await startTestControlPlane();
  const { session } = await created(plane);
  const token = join(temporaryFolder(), "token");
  writeFileSync(token, `${ADMIN_TOKEN}\n`, { mode: 0o600 });
  const args = ["--token-file", token, "session", "show", session.id, "--json"];
  const shown = await run(program(), args, { SLUICE_URL: plane.url });
  expect(shown).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(shown.stdout)).toEqual({ session, buckets: [] });
  const env = { SLUICE_URL: plane.url, SLUICE_ADMIN_TOKEN: ADMIN_TOKEN };
  const missing = await run(program(), ["session", "show", session.id.replace(/.{12}$/, "0".repeat(12))], env);
  expect(missing).toMatchObject({ code: 1, stdout: "" });
});

it("the command validates a policy with no control plane and no token", async () => {
  const checked = await run(program(), ["policy", "check", join(root, "policy.yaml")]);
  expect(checked, checked.stderr).toMatchObject({ code: 0 });
});

it("a backup whose program is ended by a signal says which one, and no command line", async () => {
  const ends = 'if (process.argv[1].endsWith("store-admin.js")) process.kill(process.pid, "SIGSEGV")';
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(ends)}` };
  const ran = await run(program(), ["store", "backup", join(temporaryFolder(), "backup")], env);
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(ran.stderr).toBe("sluice: STORE_FAILED: the program that does it was ended by SIGSEGV\n");
});

it("the command prints the version of package.json", async () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  expect(await run(program(), ["--version"])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: "" });
});

it("the command is quiet where its reader has had enough", async () => {
  const plane = await startTestControlPlane();
  for (let i = 0; i < 3; i++) await created(plane);
  const env = { SLUICE_URL: plane.url, SLUICE_ADMIN_TOKEN: ADMIN_TOKEN, PATH: process.env.PATH };
  const child = spawn(process.execPath, [program(), "session", "list", "--json"], { env });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

it("the launcher says how to build the command where it is not built yet", async () => {
  const folder = temporaryFolder();
  mkdirSync(dirname(join(folder, LAUNCHER)), { recursive: true });
  copyFileSync(join(root, LAUNCHER), join(folder, LAUNCHER));
  const ran = await run(join(folder, LAUNCHER), ["session", "list"]);
  expect(ran).toMatchObject({ code: 2, stdout: "" });
  expect(ran.stderr).toContain("npm run build:changed");
});

it("the launcher starts the command where it is built", async () => {
  const folder = temporaryFolder();
  mkdirSync(dirname(join(folder, LAUNCHER)), { recursive: true });
  copyFileSync(join(root, LAUNCHER), join(folder, LAUNCHER));
  const built = join(folder, "build/js/control-plane/src/cli/main.js");
  mkdirSync(dirname(built), { recursive: true });
  writeFileSync(built, `await import(${JSON.stringify(program())});`);
  const ran = await run(join(folder, LAUNCHER), ["help"]);
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  expect(ran.stdout).toContain("session create");
});
