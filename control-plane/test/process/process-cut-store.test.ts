// Stores that were cut short, as an interrupted copy leaves them: each command ends with one sentence, never by a signal.
import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

import { openLayout, STORE_FILE } from "../../src/store/lmdb/layout.js";
import type { LmdbLayout } from "../../src/store/lmdb/layout.js";
import { storeStateOf } from "../../src/store/lmdb/store-pages.js";
import { compiledMain } from "../support/compiled-sources.js";
import { ControlPlaneProcess, settingsIn, temporaryFolder } from "../support/process.js";
import { sessionAt } from "../support/sessions.js";
import { openStore } from "../support/temporary-store.js";

const PAGE_BYTES = 4096;
const NOW_MS = Date.UTC(2026, 0, 1);
const random = { bytes: (count: number) => Buffer.alloc(count, 1) };

/** A folder with a store that has some sessions. */
async function withSessions(): Promise<string> {
  const folder = temporaryFolder();
  const store = await openStore(folder);
  for (let made = 0; made < 30; made++) await store.create(sessionAt(NOW_MS + made));
  await store.close();
  return folder;
}

/** A folder with a copy of that store's first bytes. */
function cutTo(bytes: number, whole: string): string {
  const folder = temporaryFolder();
  copyFileSync(join(whole, STORE_FILE), join(folder, STORE_FILE));
  truncateSync(join(folder, STORE_FILE), bytes);
  return folder;
}

function storeAdmin(...args: string[]) {
  const program = join(dirname(compiledMain()), "store-admin.js");
  const env = { PATH: process.env.PATH };
  const { status, signal, stderr } = spawnSync(process.execPath, [program, ...args], { env, encoding: "utf8" });
  return { status, signal, stderr };
}

const whyCut = (folder: string): string =>
  `${join(folder, STORE_FILE)} is damaged: it was cut short; move it away, and restore a backup`;

describe("a store that was cut short", () => {
  it("a store that was cut at any page is refused, or its backup can be made: nothing is missing", async () => {
    const whole = await withSessions();
    const pages = statSync(join(whole, STORE_FILE)).size / PAGE_BYTES;
    const cut = Array.from({ length: pages }, (_, page) => cutTo((page + 1) * PAGE_BYTES, whole));
    const refused = cut.filter((folder) => storeStateOf(join(folder, STORE_FILE)) === "cut short");
    expect(refused.length).toBeGreaterThan(pages / 2);
    for (const folder of cut.slice(refused.length - 1)) {
      const backups = temporaryFolder();
      const { status, signal, stderr } = storeAdmin("backup", join(backups, "backup"), "--data", folder);
      const isRefused = refused.includes(folder);
      const why = isRefused ? `store-admin: ${whyCut(folder)}\n` : "";
      expect({ status, signal, stderr }).toEqual({ status: isRefused ? 78 : 0, signal: null, stderr: why });
      expect(readdirSync(backups)).toEqual(isRefused ? [] : ["backup"]);
    }
  });

  it.each([1, 100, PAGE_BYTES, PAGE_BYTES + 100, 2 * PAGE_BYTES, 3 * PAGE_BYTES, 4 * PAGE_BYTES, 5 * PAGE_BYTES + 1])(
    "a control plane does not start over a store that was cut to %i bytes, and says so",
    async (bytes) => {
      const folder = cutTo(bytes, await withSessions());
      const plane = new ControlPlaneProcess({ ...settingsIn(), SLUICE_DATA_DIR: folder });
      expect(await plane.ended).toEqual({ code: 78, signal: null });
      expect(plane.stderr).toMatch(/^sluice control plane: [^\n]+ damaged[^\n]+restore a backup\n$/);
    },
  );

  it("a restore with --force takes the place of a store that was cut short", async () => {
    const [whole, file] = [await withSessions(), join(temporaryFolder(), "backup")];
    expect(storeAdmin("backup", file, "--data", whole)).toMatchObject({ status: 0 });
    const folder = cutTo(4 * PAGE_BYTES, whole);
    expect(storeAdmin("restore", file, "--data", folder)).toMatchObject({ status: 1 });
    expect(storeAdmin("restore", file, "--data", folder, "--force")).toMatchObject({ status: 0 });
    await new ControlPlaneProcess({ ...settingsIn(), SLUICE_DATA_DIR: folder }).port();
  });

  it("a backup without a check sum that was cut short is refused, and the folder stays as it was", async () => {
    const [file, folder] = [join(cutTo(4 * PAGE_BYTES, await withSessions()), STORE_FILE), temporaryFolder()];
    const { status, signal, stderr } = storeAdmin("restore", file, "--data", folder);
    expect({ status, signal, stderr }).toEqual({
      status: 1,
      signal: null,
      stderr: `store-admin: ${file} is cut short or damaged\n`,
    });
    expect(readdirSync(folder)).toEqual(["control-plane.lock"]);
  });
});

/** What its newest commit says is the last page that was ever used. */
function lastPageOf(store: string): number {
  const bytes = readFileSync(store);
  const metas = [bytes.subarray(0), bytes.subarray(PAGE_BYTES)];
  const [newest] = metas.sort((one, other) => Number(other.readBigUInt64LE(152) - one.readBigUInt64LE(152)));
  return Number(newest?.readBigUInt64LE(144));
}

/** A folder with a store whose newest commit leads to pages at its end, and finds the others it needs before them. */
async function withBigValue(commit: (db: LmdbLayout, big: string) => void): Promise<string> {
  const folder = temporaryFolder();
  const db = openLayout(folder, random);
  const big = "x".repeat(100 * PAGE_BYTES);
  for (let turn = 0; turn < 20; turn++)
    await db.commits.run(() => void db.meta.put(`filler-${turn}`, big.slice(0, 9999)));
  for (let turn = 0; turn < 20; turn++) await db.commits.run(() => void db.meta.remove(`filler-${turn}`));
  await db.commits.run(() => {
    commit(db, big);
  });
  await db.env.close();
  return folder;
}

it("a store that lacks the end of one long value alone is refused", async () => {
  const whole = await withBigValue((db, big) => void db.meta.put("big", big));
  const { size } = statSync(join(whole, STORE_FILE));
  const folder = cutTo(size - 1, whole);
  const { status, signal, stderr } = storeAdmin("backup", join(temporaryFolder(), "backup"), "--data", folder);
  expect({ status, signal, stderr }).toEqual({ status: 78, signal: null, stderr: `store-admin: ${whyCut(folder)}\n` });
});

it("a store whose last pages were free before they were ever written is whole, and starts", async () => {
  const folder = await withBigValue((db, big) => {
    void db.meta.put("big", big);
    void db.meta.remove("big");
  });
  const store = join(folder, STORE_FILE);
  expect(statSync(store).size).toBeLessThan(lastPageOf(store) * PAGE_BYTES);
  expect(storeStateOf(store)).toBe("whole");
  expect(storeAdmin("backup", join(folder, "backup"), "--data", folder)).toMatchObject({ status: 0 });
  await new ControlPlaneProcess({ ...settingsIn(), SLUICE_DATA_DIR: folder }).port();
});
