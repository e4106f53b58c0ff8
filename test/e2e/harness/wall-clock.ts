// The wall clock of one process, which a test sets while it runs; its monotonic clock goes on as it is. By libfaketime.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, type TestContext } from "vitest";
import { findLibfaketime } from "../../../scripts/test/get-libfaketime.js";
import { notRun } from "../../../scripts/test/not-run.js";

export interface WallClock {
  /** For the process whose clock it is to be; empty where there is no libfaketime. */
  readonly env: Readonly<Record<string, string>>;
  /** From now on it is ahead of the machine's by so many seconds. */
  ahead(seconds: number): void;
  /** Ends a test that needs it where it cannot be had, and says why. */
  needed(context: TestContext): void;
}

export async function settableWallClock(): Promise<WallClock> {
  const found = await findLibfaketime();
  const folder = mkdtempSync(join(tmpdir(), "sluice-clock-"));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, "offset");
  const ahead = (seconds: number): void => {
    writeFileSync(file, `${seconds < 0 ? "" : "+"}${seconds}\n`);
  };
  ahead(0);
  const env = {
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    DONT_FAKE_MONOTONIC: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
  return {
    env: "library" in found ? { LD_PRELOAD: found.library, ...env } : {},
    ahead,
    needed: (context) => {
      if ("reason" in found) notRun(context, found.reason);
    },
  };
}
