// A disk of a few megabytes in memory, that can be full and made larger. Only where this process may mount one.
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, statfsSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { TestContext } from "vitest";

import { notRun } from "../../../scripts/test/not-run.js";

const MEBIBYTE = 1024 * 1024;

export interface SmallDisk {
  readonly path: string;
  /** Takes all room but so many bytes. */
  fill(leftBytes?: number): void;
  /** Gives back what `fill` took. */
  clear(): void;
  /** So that it has this size. */
  resize(mebibytes: number): void;
  makeReadOnly(): void;
}

/** Why there is none here; undefined where there is. */
const noDisk = reasonForNoDisk();

function reasonForNoDisk(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "a small disk is mounted as root on Linux only";
  const path = mkdtempSync(join(tmpdir(), "sluice-disk-"));
  try {
    mount(path, 1);
    unmount(path);
    return undefined;
  } catch (error) {
    return `no small disk can be mounted here: ${String(error).split("\n")[0] ?? ""}`;
  } finally {
    rmdirSync(path);
  }
}

/** The report of the run names the test, and says why it did not run. */
export function needsDisk(context: TestContext): void {
  if (noDisk !== undefined) notRun(context, noDisk);
}

/** Goes with the test. */
export function smallDisk(mebibytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), "sluice-disk-"));
  mount(path, mebibytes);
  onTestFinished(() => {
    unmount(path);
    rmdirSync(path);
  });
  const filler = join(path, "filler");
  return {
    path,
    fill: (leftBytes = 0) => {
      const { bavail, bsize } = statfsSync(path);
      const file = openSync(filler, "w");
      let missing = bavail * bsize - leftBytes;
      for (; missing > 0; missing -= MEBIBYTE) writeSync(file, Buffer.alloc(Math.min(missing, MEBIBYTE)));
      closeSync(file);
    },
    clear: () => {
      rmSync(filler);
    },
    resize: (size) => {
      remount(path, `size=${size}m`);
    },
    makeReadOnly: () => {
      remount(path, "ro");
    },
  };
}

function mount(path: string, mebibytes: number): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", path], { stdio: "pipe" });
}

function remount(path: string, option: string): void {
  execFileSync("mount", ["-o", `remount,${option}`, path], { stdio: "pipe" });
}

/** Lazily: a process that was just killed may still have files open. */
function unmount(path: string): void {
  execFileSync("umount", ["-l", path], { stdio: "pipe" });
}
