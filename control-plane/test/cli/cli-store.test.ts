// The commands that back up and restore a store, with the program that does it.
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { expect, it, onTestFinished } from "vitest";

import { compiledMain } from "../support/compiled-sources.js";
import { sluice } from "../support/cli.js";
import type { World } from "../support/cli.js";
import { sessionAt } from "../support/sessions.js";
import { openStore } from "../support/temporary-store.js";
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

it("a store is copied into another folder, and the control plane finds its sessions there", async () => {
  const settings = settingsIn();
  const from = String(settings.SLUICE_DATA_DIR);
  const session = sessionAt(Date.now());
  const store = await openStore(from);
  await store.create(session);
  await store.close();
  const to = join(folder(), "data");
  const line = ["store", "copy", "--from", `lmdb:${from}`, "--to", `lmdb:${to}`];
  const ran = await sluice(line, { storeAdmin: real });
  expect(ran).toMatchObject({ code: 0, err: "" });
  expect(ran.out).toMatch(new RegExp(`^${from} is in ${to}: 1 sessions, .*; compared, checksum [0-9a-f]{16}\n$`));
  const again = await sluice(line, { storeAdmin: real });
  expect([again.code, again.err]).toEqual([
    1,
    "sluice: STORE_FAILED: the target is not empty: it holds 1 of sessions\n",
  ]);
  const plane = new ControlPlaneProcess({ ...settings, SLUICE_DATA_DIR: to });
  const url = await plane.listening();
  const shown = await sluice(["session", "show", session.id, "--json"], {
    url,
    env: { SLUICE_ADMIN_TOKEN: String(settings.SLUICE_ADMIN_TOKEN) },
  });
  expect(JSON.parse(shown.out)).toMatchObject({ session: { id: session.id } });
  const busy = await sluice(["store", "copy", "--from", `lmdb:${to}`, "--to", `lmdb:${folder()}`], {
    storeAdmin: real,
  });
  expect([busy.code, busy.err]).toEqual([
    1,
    expect.stringMatching(`the store in ${to} .--from.: .* is in use: control`),
  ]);
});

it("a store that a copy cannot take is said by its option, and no password is shown", async () => {
  const url = join(folder(), "url");
  writeFileSync(url, "redis://:hunter2-hunter2@cache:x\n");
  const ran = await sluice(["store", "copy", "--from", "redis://:hunter2-hunter2@cache", "--to-file", url], {
    storeAdmin: real,
  });
  expect([ran.code, ran.out]).toEqual([2, ""]);
  expect(ran.err).toContain("--from holds a password");
  expect(ran.err).toContain("--to-file: its host: expected a port from 1 to 65535 after its colon");
  expect(ran.err).not.toContain("hunter2");
});

it("a folder needs no beginning, and a variable that is wrong keeps a store from one", async () => {
  const one = await sluice(["store", "init", "--at", `lmdb:${folder()}`], { storeAdmin: real });
  expect([one.code, one.err]).toEqual([2, expect.stringContaining("a control plane makes it at its start")]);
  const both = await sluice(["store", "init", "--at", "lmdb:x", "--at-file", "y"], { storeAdmin: real });
  expect([both.code, both.err]).toEqual([2, expect.stringContaining("--at-file: the file that it names")]);
});

it("what the store's program says of its progress is a remark, as it comes", async () => {
  const ran = await sluice("store copy --from lmdb:a --to lmdb:b --stopped", {
    storeAdmin: (args, progress) => {
      progress(`copied: ${args.join(" ")}`);
      return { code: 0, stdout: "a is in b\n", stderr: "store-admin: --to-file: readable\n" };
    },
  });
  expect(ran.err).toBe("copied: copy --from=lmdb:a --to=lmdb:b --stopped\n--to-file: readable\n");
  expect(ran.out).toBe("a is in b\n");
});
