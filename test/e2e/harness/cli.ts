// The command `sluice`, as an operator of the installation calls it.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../../../scripts/project-root.js";
import type { Installation } from "./installation.js";

const run = promisify(execFile);

/** Resolves with what it prints; rejects unless it ends with 0. */
export async function sluiceCommand({ ports, adminToken }: Installation, ...args: string[]): Promise<string> {
  const launcher = join(projectRoot, "control-plane/src/cli/launcher.mjs");
  const env = {
    PATH: process.env.PATH,
    SLUICE_URL: `http://127.0.0.1:${ports.http}`,
    SLUICE_ADMIN_TOKEN: adminToken,
  };
  const { stdout } = await run(process.execPath, [launcher, ...args], { env });
  return stdout;
}
