// The lock of a data folder: who gets it, who is told what, and what frees it.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { FolderLock } from "../../src/store/lmdb/folder-lock.js";
import { STORE_FILE } from "../../src/store/lmdb/layout.js";
import { openLmdb } from "../../src/store/lmdb/open-lmdb.js";
import { FixedClock } from "../support/fixed-clock.js";
import { ManualTimers } from "../support/manual-timers.js";
import { needsDisk, smallDisk } from "../support/small-disk.js";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-lock-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

const lockFile = (folder: string): string => join(folder, "control-plane.lock");

async function taken(folder: string): Promise<FolderLock> {
  const lock = await FolderLock.take(folder, "control plane");
  onTestFinished(() => {
    lock.release();
  });
  return lock;
}

describe("the data folder of a control plane", () => {
  it("a data folder that is in use is refused, and the message names it and its holder", async () => {
    const folder = temporaryFolder();
    await taken(folder);
    await expect(FolderLock.take(folder, "restore")).rejects.toThrow(
      `the folder ${folder} is in use: control plane, process ${process.pid} on ${hostname()}`,
    );
    expect(readFileSync(lockFile(folder), "utf8")).toContain("control plane");
  });

  it("a data folder is free again once it is released, also where a child was started meanwhile", async () => {
    const folder = temporaryFolder();
    const lock = await taken(folder);
    const child = spawn(process.execPath, ["-e", "setTimeout(() => undefined, 60000)"], { stdio: "ignore" });
    onTestFinished(() => void child.kill("SIGKILL"));
    lock.release();
    await taken(folder);
  });

  it("a data folder is taken whatever number its lock file names, since nobody holds it", async () => {
    const folder = temporaryFolder();
    writeFileSync(lockFile(folder), `control plane, process ${process.ppid} on ${hostname()}\n`);
    await taken(folder);
    expect(readFileSync(lockFile(folder), "utf8")).toBe(`control plane, process ${process.pid} on ${hostname()}\n`);
  });

  it("a data folder is held though its lock file be deleted, by the store's own file", async () => {
    const folder = temporaryFolder();
    const lock = await taken(folder);
    writeFileSync(join(folder, STORE_FILE), "");
    lock.takeStore();
    rmSync(lockFile(folder));
    await expect(FolderLock.take(folder, "control plane")).rejects.toThrow(
      `another process has ${join(folder, STORE_FILE)}`,
    );
    lock.release();
    await taken(folder);
  });

  it("a lock file that is replaced while it is being locked is locked anew", async () => {
    const folder = temporaryFolder();
    let replaced = 0;
    const replacing = (): boolean => {
      if (replaced++ < 2) {
        rmSync(lockFile(folder));
        writeFileSync(lockFile(folder), "");
      }
      return true;
    };
    const lock = await FolderLock.take(folder, "control plane", replacing);
    lock.release();
    expect(replaced).toBe(3);
  });

  it("a data folder stays taken by a store whose last commit hangs, not by one that is closed", async () => {
    for (const isIdle of [false, true]) {
      const folder = temporaryFolder();
      const store = await openLmdb(folder, { bytes: (n) => randomBytes(n) }, new ManualTimers(new FixedClock()));
      vi.spyOn(store.db.commits, "idle").mockResolvedValue(isIdle);
      await store.close();
      const next = FolderLock.take(folder, "restore").then((lock) => {
        lock.release();
        return "taken";
      });
      if (isIdle) expect(await next).toBe("taken");
      else await expect(next).rejects.toThrow(`the folder ${folder} is in use: control plane`);
    }
  });

  it("a file system without locks is named as such", async () => {
    const without = (): boolean => {
      throw new Error("ENOLCK: no locks available");
    };
    const folder = temporaryFolder();
    await expect(FolderLock.take(folder, "control plane", without)).rejects.toThrow(
      `the file system of ${folder} gives no locks (ENOLCK: no locks available): keep the store on a local disk`,
    );
  });

  it("a folder that is read-only is refused by the name of the file that it does not take", async (test) => {
    needsDisk(test);
    const disk = smallDisk(1);
    disk.makeReadOnly();
    await expect(FolderLock.take(disk.path, "control plane")).rejects.toThrow(/control-plane\.lock.*EROFS/);
  });

  it("a data folder is made where there is none", async () => {
    const below = join(temporaryFolder(), "a/b");
    await taken(below);
    expect(existsSync(below)).toBe(true);
  });
});
