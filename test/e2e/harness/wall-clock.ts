// The wall clock of one process, which a test sets while it runs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, type TestContext } from "vitest";
import { notRun } from "../../../scripts/test/not-run.js";
import { type ClockFile, clockFileIn } from "./clock-file.js";

export interface WallClock extends ClockFile {
  /** Ends a test that needs it where it cannot be had, and says why. */
  needed(context: TestContext): void;
}

export async function settableWallClock(): Promise<WallClock> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-clock-"));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const clock = await clockFileIn(folder);
  return {
    ...clock,
    needed: (context) => {
      if (clock.missing !== undefined) notRun(context, clock.missing);
    },
  };
}
