// Data folders that a user may not write, or nobody may: the start ends with 78 and one line that says why.
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "vitest";
import { describe, expect, it } from "vitest";

import { notRun } from "../../../scripts/test/not-run.js";
import { compiledMain } from "../support/compiled-sources.js";
import { ControlPlaneProcess, settingsIn, temporaryFolder, withStoredPolicy } from "../support/process.js";
import { needsDisk, smallDisk } from "../support/small-disk.js";

const NOBODY = 65_534;
/** Runs a program as a user who owns nothing. */
const AS_NOBODY = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];

function needsNobody(context: TestContext): void {
  const [program = "", ...options] = AS_NOBODY;
  const { status } = spawnSync(program, [...options, process.execPath, "--check", compiledMain()]);
  if (status !== 0) notRun(context, "no program of this folder can be run as another user here");
}

async function rejected(settings: Record<string, string>, within: readonly string[] = []): Promise<string> {
  const plane = new ControlPlaneProcess(settings, within);
  expect(await plane.ended).toEqual({ code: 78, signal: null });
  expect(plane.stderr).toMatch(/^sluice control plane: [^\n]+\n$/);
  return plane.stderr;
}

/** Settings whose files a user who owns nothing can read. */
function openSettings(): Record<string, string> {
  const settings = settingsIn();
  chmodSync(dirname(settings.SLUICE_POLICY ?? ""), 0o755);
  return settings;
}

describe.each([
  ["that has a store", true],
  ["that is to be made", false],
])("a data folder %s", (what, hasStore) => {
  it(`a start with a folder ${what} on a read-only disk ends with 78`, async (context) => {
    needsDisk(context);
    const disk = smallDisk(64);
    const data = join(disk.path, "data");
    if (hasStore) {
      const plane = new ControlPlaneProcess({ ...settingsIn(), SLUICE_DATA_DIR: data });
      await plane.port();
      plane.kill("SIGTERM");
      await plane.ended;
    }
    disk.makeReadOnly();
    const said = await rejected({ ...settingsIn(), SLUICE_DATA_DIR: data });
    expect(said).toContain(`the store in ${data} (SLUICE_DATA_DIR) cannot be opened: `);
    expect(said).toContain("its file system is read-only (EROFS)");
  });
});

describe("a data folder of another user", () => {
  it("a start in a folder that its user may not write ends with 78", async (context) => {
    needsNobody(context);
    const settings = openSettings();
    mkdirSync(settings.SLUICE_DATA_DIR ?? "", { mode: 0o755 });
    expect(await rejected(settings, AS_NOBODY)).toContain("this process's user may not (EACCES)");
  });

  it("a start in a folder that its user may not even enter ends with 78", async (context) => {
    needsNobody(context);
    const settings = openSettings();
    mkdirSync(settings.SLUICE_DATA_DIR ?? "", { mode: 0o700 });
    expect(await rejected(settings, AS_NOBODY)).toContain("this process's user may not (EACCES)");
  });

  it.for(["store.mdb", "store.mdb-lock"])(
    "a start over a %s that its user may not read ends with 78",
    async (file, context) => {
      needsNobody(context);
      const settings = await withStoredPolicy();
      const data = settings.SLUICE_DATA_DIR ?? "";
      chmodSync(dirname(data), 0o755);
      chownSync(data, NOBODY, NOBODY);
      for (const own of ["control-plane.lock", "store.mdb", "store.mdb-lock"])
        chownSync(join(data, own), NOBODY, NOBODY);
      chownSync(join(data, file), 0, 0);
      chmodSync(join(data, file), 0o600);
      const said = await rejected(settings, AS_NOBODY);
      expect(said).toContain(`${file} cannot be opened for writing: this process's user may not (EACCES)`);
    },
  );

  it("a secret's file that its user may not read ends the start with 78", async (context) => {
    needsNobody(context);
    const path = join(temporaryFolder(), "secret");
    chmodSync(dirname(path), 0o755);
    writeFileSync(path, "4f".repeat(32), { mode: 0o600 });
    const said = await rejected({ ...openSettings(), SLUICE_SECRET: "", SLUICE_SECRET_FILE: path }, AS_NOBODY);
    expect(said).toContain(`SLUICE_SECRET_FILE: ${path} cannot be used: EACCES`);
  });

  it("a port that is root's alone ends another user's start with 78, by SLUICE_HTTP_PORT", async (context) => {
    needsNobody(context);
    const settings = openSettings();
    const data = settings.SLUICE_DATA_DIR ?? "";
    mkdirSync(data);
    chownSync(data, NOBODY, NOBODY);
    expect(await rejected({ ...settings, SLUICE_HTTP_PORT: "1023" }, AS_NOBODY)).toContain(
      "SLUICE_HTTP_PORT: expected a port that is permitted, got 1023: this process's user may not listen on it (EACCES)",
    );
  });
});
