// A second control plane on one data folder.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockFolder } from "../../src/store/lmdb/folder-lock.js";

let folder: string;
const pidFile = (): string => join(folder, "control-plane.pid");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-lock-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the data folder of a control plane", () => {
  it("a data folder is locked while another running process has it, and both are named", () => {
    writeFileSync(pidFile(), String(process.ppid));
    expect(() => lockFolder(folder)).toThrow(`process ${process.ppid} uses it`);
    expect(() => lockFolder(folder)).toThrow(pidFile());
  });

  it("a data folder is taken over from a process that was killed", () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    writeFileSync(pidFile(), String(pid));
    lockFolder(folder).release();
    expect(existsSync(pidFile())).toBe(false);
  });

  it("a data folder is taken over where the number in it is our own, as in a container, or none", () => {
    writeFileSync(pidFile(), String(process.pid));
    lockFolder(folder).release();
    writeFileSync(pidFile(), "");
    lockFolder(folder).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("a data folder is made where there is none", () => {
    const below = join(folder, "a/b");
    lockFolder(below).release();
    expect(existsSync(below)).toBe(true);
  });
});
