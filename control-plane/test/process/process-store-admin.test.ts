// The store's commands over paths at which no regular file stands: each ends with 1 and one sentence, and keeps nobody out.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { STORE_FILE } from "../../src/store/lmdb/layout.js";
import { compiledMain } from "../support/compiled-sources.js";
import { ControlPlaneProcess, settingsIn, temporaryFolder } from "../support/process.js";
import { openStore } from "../support/temporary-store.js";

/** Only what hangs takes so long. */
const TIMEOUT_MS = 50_000;

type Make = (path: string) => unknown;

const KINDS: [what: string, make: Make][] = [
  [
    "a folder",
    (path) => {
      mkdirSync(path);
    },
  ],
  ["a pipe", (path) => execFileSync("mkfifo", [path])],
  ["a socket", socketAt],
  [
    "a device",
    (path) => {
      symlinkSync("/dev/zero", path);
    },
  ],
];

async function socketAt(path: string): Promise<void> {
  const server = createServer().listen(path);
  onTestFinished(() => void server.close());
  await once(server, "listening");
}

/** What such a command does that is stopped where it hangs; its code is null then. */
function storeAdmin(...args: string[]): { code: number | null; said: string } {
  return storeAdminWith({}, ...args);
}

function storeAdminWith(more: Record<string, string>, ...args: string[]): { code: number | null; said: string } {
  const program = join(dirname(compiledMain()), "store-admin.js");
  const env = { PATH: process.env.PATH, ...more };
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    env,
    encoding: "utf8",
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  return { code: status, said: stdout + stderr };
}

async function dataFolder(): Promise<string> {
  const folder = join(temporaryFolder(), "data");
  await (await openStore(folder)).close();
  return folder;
}

const rejected = (sentence: string, code = 1) => ({ code, said: `store-admin: ${sentence}\n` });

describe.each(KINDS)("%s where a regular file is expected", (what, make) => {
  it(`a restore of ${what} ends with 1 and one sentence, and touches no store`, async () => {
    const [file, folder] = [join(temporaryFolder(), "backup"), join(temporaryFolder(), "data")];
    await make(file);
    expect(storeAdmin("restore", file, "--data", folder)).toEqual(
      rejected(`${file} is no backup of a store: expected a regular file, got ${what}`),
    );
    expect(existsSync(folder)).toBe(false);
  });

  it(`a backup into ${what} ends with 1 and one sentence`, async () => {
    const [file, folder] = [join(temporaryFolder(), "backup"), await dataFolder()];
    await make(file);
    expect(storeAdmin("backup", file, "--data", folder)).toEqual(rejected(`${file} exists: name a new file`));
  });

  it.each([STORE_FILE, "control-plane.lock"])(`${what} in the place of %s stops what would open it`, async (name) => {
    const [folder, file] = [await dataFolder(), join(temporaryFolder(), "backup")];
    expect(storeAdmin("backup", file, "--data", folder)).toMatchObject({ code: 0 });
    const path = join(folder, name);
    rmSync(path, { force: true });
    await make(path);
    const settings = { ...settingsIn(), SLUICE_DATA_DIR: folder };
    const plane = new ControlPlaneProcess(settings);
    const restore = storeAdmin("restore", file, "--data", folder, "--force");
    const { code } = await plane.ended;
    for (const said of [restore, { code, said: plane.stderr }]) {
      expect(said).toEqual({ code: 78, said: expect.stringMatching(/^[^\n]+\n$/) as unknown });
      expect(said.said).toContain(path);
    }
    const backup = storeAdmin("backup", `${file}-2`, "--data", folder);
    expect(backup).toEqual(
      name === STORE_FILE
        ? rejected(`${path}: expected a regular file, got ${what}`, 78)
        : { code: 0, said: `${folder} is in ${file}-2\n` },
    );
  });

  it(`${what} in the place of a restore's unfinished file does not hold it up`, async () => {
    const [folder, file] = [await dataFolder(), join(temporaryFolder(), "backup")];
    expect(storeAdmin("backup", file, "--data", folder)).toMatchObject({ code: 0 });
    await make(join(folder, `${STORE_FILE}.restoring`));
    const { code, said } = storeAdmin("restore", file, "--data", folder, "--force");
    expect([code, said.split("\n").length]).toEqual([what === "a folder" ? 1 : 0, 2]);
  });
});

describe("a data folder that the store's commands cannot use", () => {
  it("a misspelt variable stops the store's commands with 78, before they take another folder", () => {
    const [file, folder] = [join(temporaryFolder(), "backup"), join(temporaryFolder(), "data")];
    expect(storeAdminWith({ SLUICE_DATA_DIRS: folder }, "backup", file)).toEqual(
      rejected("SLUICE_DATA_DIRS: there is no such setting; did you mean SLUICE_DATA_DIR?", 78),
    );
  });

  it("a restore into a folder below /proc ends with 78, and a backup below it with 1", async () => {
    const [file, data, none] = [join(temporaryFolder(), "backup"), await dataFolder(), "/proc/sluice/data"];
    expect(storeAdmin("backup", file, "--data", data)).toMatchObject({ code: 0 });
    const why = "/proc/sluice cannot be made: its file system takes none there (ENOENT)";
    expect(storeAdmin("restore", file, "--data", none)).toEqual(rejected(why, 78));
    const backup = storeAdmin("backup", join(none, "backup"), "--data", data);
    expect(backup).toEqual(rejected(`no backup can be made there: ${why}`));
  });

  it("a damaged store is not backed up, and a restore with --force takes its place", async () => {
    const [file, folder] = [join(temporaryFolder(), "backup"), await dataFolder()];
    expect(storeAdmin("backup", file, "--data", folder)).toMatchObject({ code: 0 });
    const store = join(folder, STORE_FILE);
    writeFileSync(store, Buffer.alloc(16_384, 7));
    const { code, said } = storeAdmin("backup", `${file}-2`, "--data", folder);
    expect(code).toBe(78);
    expect(said).toContain(`store-admin: ${store} is no store: it is damaged`);
    expect(storeAdmin("restore", file, "--data", folder)).toMatchObject({ code: 1 });
    expect(storeAdmin("restore", file, "--data", folder, "--force")).toMatchObject({ code: 0 });
    await new ControlPlaneProcess({ ...settingsIn(), SLUICE_DATA_DIR: folder }).port();
  });
});

it("a backup's name that is a link to nowhere is said to exist", async () => {
  const [file, folder] = [join(temporaryFolder(), "backup"), await dataFolder()];
  symlinkSync("nowhere", file);
  expect(storeAdmin("backup", file, "--data", folder)).toEqual(rejected(`${file} exists: name a new file`));
});

/** Reads the store at this path, without a lock and without an end, as a backup does while it copies. */
const READER = `
  import { open } from "lmdb";
  const env = open({ path: process.argv[1], noSubdir: true, readOnly: true });
  env.useReadTransaction();
  env.get("any");
  console.log("reading");
  setInterval(() => undefined, 1000);
`;

it("a restore is refused while another process reads the store, a backup for one", async () => {
  const [file, folder] = [join(temporaryFolder(), "backup"), await dataFolder()];
  expect(storeAdmin("backup", file, "--data", folder)).toMatchObject({ code: 0 });
  const args = ["--input-type=module", "-e", READER, join(folder, STORE_FILE)];
  const reader = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void reader.kill("SIGKILL"));
  await once(reader.stdout, "data");
  const restore = ["restore", file, "--data", folder, "--force"];
  expect(storeAdmin(...restore)).toEqual(rejected(`another process has the store in ${folder} open: stop it first`));
  reader.kill("SIGKILL");
  await once(reader, "exit");
  expect(storeAdmin(...restore)).toMatchObject({ code: 0 });
});
