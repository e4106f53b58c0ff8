// The commands that back up and restore a store, with the program that does it.
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { expect, it, onTestFinished } from "vitest";

import { compiledMain } from "../support/compiled-sources.js";
import { sluice } from "../support/cli.js";
import type { World } from "../support/cli.js";
import { ControlPlaneProcess, settingsIn } from "../support/process.js";

const program = join(compiledMain(), "../store-admin.js");

const real: NonNullable<World["storeAdmin"]> = (args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  return { code: status ?? 1, stdout, stderr };
};

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "sluice-store-"));
  onTestFinished(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

it("a backup is made of a control plane that runs, and another folder is restored from it", async () => {
  const settings = settingsIn();
  const plane = new ControlPlaneProcess(settings);
  await plane.listening();
  const file = join(folder(), "one.mdb");
  const run = (...line: string[]) => sluice(line, { storeAdmin: real });
  const data = String(settings.SLUICE_DATA_DIR);
  expect(await run("store", "backup", file, "--data", data)).toMatchObject({ code: 0, out: `${data} is in ${file}\n` });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const target = folder();
  expect(await run("store", "restore", file, "--data", target)).toMatchObject({ code: 0, err: "" });
  const again = await run("store", "restore", file, "--data", target);
  expect([again.code, again.err]).toEqual([1, expect.stringMatching(/^sluice: .*--force/)]);
  expect((await run("store", "restore", file, "--data", target, "--force")).code).toBe(0);
  const busy = await run("store", "restore", file, "--data", data, "--force");
  expect([busy.code, busy.err]).toEqual([1, expect.stringContaining("is in use: control plane")]);
});

it("a data folder that cannot be used is exit code 2, and one sentence says why", async () => {
  const path = join(folder(), "file");
  writeFileSync(path, "");
  const ran = await sluice(["store", "backup", join(folder(), "b.mdb"), "--data", path], { storeAdmin: real });
  expect([ran.code, ran.out, ran.err.trimEnd().split("\n")]).toEqual([2, "", [expect.stringContaining(path)]]);
});

it("a backup that is done and one that fails are documents with --json", async () => {
  const at = folder();
  mkdirSync(join(at, "empty"));
  const failed = await sluice(["store", "backup", join(at, "b"), "--data", join(at, "empty"), "--json"], {
    storeAdmin: real,
  });
  expect(JSON.parse(failed.err)).toMatchObject({ error: { code: "STORE_FAILED" } });
  const done = await sluice("store backup b --json", {
    storeAdmin: () => ({ code: 0, stdout: "a is in b\n", stderr: "" }),
  });
  expect(JSON.parse(done.out)).toEqual({ done: "a is in b" });
});
