// A mount whose server answers nothing, as of a network that is gone: whoever asks for a file there waits in the kernel.
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { TestContext } from "vitest";

import { notRun } from "../../../scripts/test/not-run.js";

/** Why there is none here; undefined where there is. */
const noMount = reasonForNoMount();

function reasonForNoMount(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "a dead mount takes root on Linux";
  const folder = mkdtempSync(join(tmpdir(), "sluice-dead-"));
  try {
    mountAt(folder)();
    return undefined;
  } catch (error) {
    return `no dead mount can be made here: ${String(error).split("\n")[0] ?? ""}`;
  } finally {
    rmdirSync(folder);
  }
}

/** The report of the run names the test, and says why it did not run. */
export function needsDeadMount(context: TestContext): void {
  if (noMount !== undefined) notRun(context, noMount);
}

/** Over the folder until the test is over. Returns how to take it away before. */
export function deadMount(folder: string): () => void {
  const unmount = mountAt(folder);
  onTestFinished(unmount);
  return unmount;
}

/** A FUSE file system whose server is this process, which never reads what it is asked. */
function mountAt(folder: string): () => void {
  const server = openSync("/dev/fuse", "r+");
  const options = "fd=3,rootmode=40000,user_id=0,group_id=0";
  let mounted = true;
  try {
    execFileSync("mount", ["-i", "-t", "fuse", "-o", options, "none", folder], {
      stdio: ["ignore", "ignore", "pipe", server],
    });
  } catch (error) {
    closeSync(server);
    throw error;
  }
  return () => {
    if (!mounted) return;
    mounted = false;
    // Whoever waits there is answered then: not connected.
    closeSync(server);
    execFileSync("umount", ["-l", folder]);
  };
}
