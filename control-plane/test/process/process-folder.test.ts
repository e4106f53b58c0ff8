// Two programs on one data folder: starts, restores, kills; and a folder that goes away under a control plane.
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";

import { backUpStore, restoreStore } from "../../src/store/lmdb/backup.js";
import { STORE_FILE } from "../../src/store/lmdb/layout.js";
import { compiledMain } from "../support/compiled-sources.js";
import { ADMIN_TOKEN, ControlPlaneProcess, settingsIn } from "../support/process.js";

const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };

interface Answer {
  readonly session: { readonly id: string };
  readonly error: { readonly code: string; readonly message: string };
}

async function create(url: string): Promise<{ status: number; body: Answer }> {
  const body = JSON.stringify({ userId: "u1", orgId: "o1" });
  const response = await fetch(`${url}/v1/sessions`, { method: "POST", headers, body });
  return { status: response.status, body: (await response.json()) as Answer };
}

async function readyz(plane: ControlPlaneProcess): Promise<{ status: number; said: string }> {
  const response = await fetch(`${await plane.status()}/readyz`);
  return { status: response.status, said: await response.text() };
}

it("a start after a kill succeeds though another program has the killed one's number by now", async () => {
  const settings = settingsIn();
  const first = new ControlPlaneProcess(settings);
  await first.listening();
  first.kill("SIGKILL");
  await first.ended;
  const lockFile = join(settings.SLUICE_DATA_DIR ?? "", "control-plane.lock");
  writeFileSync(lockFile, readFileSync(lockFile, "utf8").replace(/process \d+/, `process ${process.pid}`));
  await new ControlPlaneProcess(settings).listening();
});

/** A backup of a store with one session, and where that store is. */
async function backedUp(): Promise<{ settings: Record<string, string>; folder: string; file: string; id: string }> {
  const settings = settingsIn();
  const folder = settings.SLUICE_DATA_DIR ?? "";
  const plane = new ControlPlaneProcess(settings);
  const { body } = await create(await plane.listening());
  const file = join(dirname(folder), "backup");
  await backUpStore(folder, file);
  plane.kill("SIGTERM");
  await plane.ended;
  return { settings, folder, file, id: body.session.id };
}

/** Restores, and does `meanwhile` when the copy is there and not yet in its place. */
function restoredWith(file: string, folder: string, meanwhile: () => void): Promise<unknown> {
  let isDone = false;
  const bytes = (n: number): Uint8Array => {
    if (!isDone) meanwhile();
    isDone = true;
    return randomBytes(n);
  };
  return restoreStore(file, folder, { force: true, random: { bytes } });
}

const started = (settings: Record<string, string>) =>
  spawnSync(process.execPath, [compiledMain()], {
    env: { PATH: process.env.PATH, ...settings },
    encoding: "utf8",
    timeout: 50_000,
  });

it("a control plane that starts while a restore copies is refused, and the restore is whole", async () => {
  const { settings, folder, file, id } = await backedUp();
  let said = "";
  await restoredWith(file, folder, () => {
    const start = started(settings);
    said = start.stderr;
    expect(start.status).toBe(1);
    // Not even the lock file's removal lets one in: the store's own file is held too.
    rmSync(join(folder, "control-plane.lock"));
    expect(started(settings).stderr).toContain(`another process has ${join(folder, STORE_FILE)} open`);
  });
  expect(said).toContain(`the folder ${folder} is in use: restore, process ${process.pid}`);

  const url = await new ControlPlaneProcess(settings).listening();
  expect((await fetch(`${url}/v1/sessions/${id}`, { headers })).status).toBe(200);
  await expect(restoreStore(file, folder, { force: true, random: { bytes: randomBytes } })).rejects.toThrow(
    `the folder ${folder} is in use: control plane`,
  );
});

it("a restore does not replace a store that has appeared while it copied", async () => {
  const { file, folder } = await backedUp();
  const empty = join(dirname(folder), "empty");
  const appeared = join(empty, STORE_FILE);
  const restoring = restoredWith(file, empty, () => {
    writeFileSync(appeared, "another one's");
  });
  await expect(restoring).rejects.toThrow(`another process has changed the store in ${empty} meanwhile`);
  expect(readFileSync(appeared, "utf8")).toBe("another one's");
  expect(existsSync(`${appeared}.restoring`)).toBe(false);
});

it("a restore does not replace a store that was replaced while it copied", async () => {
  const { file, folder } = await backedUp();
  const store = join(folder, STORE_FILE);
  const restoring = restoredWith(file, folder, () => {
    writeFileSync(`${store}.new`, "another one's");
    renameSync(`${store}.new`, store);
  });
  await expect(restoring).rejects.toThrow(`another process has changed the store in ${folder} meanwhile`);
  expect(readFileSync(store, "utf8")).toBe("another one's");
  expect(existsSync(`${store}.restoring`)).toBe(false);
});

it("a data folder that is deleted under a control plane makes it not ready, and writes 503", async () => {
  const settings = settingsIn();
  const folder = settings.SLUICE_DATA_DIR ?? "";
  const plane = new ControlPlaneProcess(settings);
  const url = await plane.listening();
  const { body } = await create(url);
  rmSync(folder, { recursive: true });

  // The very next write is not acknowledged, whoever has looked meanwhile.
  const refused = await create(url);
  expect([refused.status, refused.body.error.code]).toEqual([503, "NOT_WRITTEN"]);
  const { status, said } = await readyz(plane);
  expect(status).toBe(503);
  expect(said).toContain("store.mdb was deleted or moved away under this process");
  expect((await fetch(`${url}/v1/sessions/${body.session.id}`, { headers })).status).toBe(200);
  expect(await plane.logLine("store-unwritable")).toMatchObject({ level: "error" });
  plane.kill("SIGTERM");
  expect(await plane.ended).toEqual({ code: 0, signal: null });
});

it("a data folder that was moved away is not written until it is back, nor is a copy", async () => {
  const settings = settingsIn();
  const folder = settings.SLUICE_DATA_DIR ?? "";
  const plane = new ControlPlaneProcess(settings);
  const url = await plane.listening();
  renameSync(folder, `${folder}-away`);
  expect((await create(url)).status).toBe(503);
  execFileSync("cp", ["-r", `${folder}-away`, folder]);
  expect((await readyz(plane)).said).toContain("another file stands at");
  expect((await create(url)).status).toBe(503);
  rmSync(folder, { recursive: true });
  renameSync(`${folder}-away`, folder);
  while ((await readyz(plane)).status !== 200) await sleep(50);
  expect((await create(url)).status).toBe(201);
});
