// The commands `sluice` and `store-admin`, as an operator of the installation calls them.
import { join } from "node:path";
import { projectRoot } from "../../../scripts/project-root.js";
import { type Run, runCommand } from "../../../scripts/run-command.js";
import type { Installation } from "./installation.js";

const PROGRAMS = join(projectRoot, "build/js/control-plane/src");

/** However it ends. */
export const sluiceRun = (installation: Installation, ...args: string[]): Promise<Run> =>
  sluiceRunAt(`http://127.0.0.1:${installation.ports.http}`, installation, ...args);

/** @param url whatever is there: for the command it is the control plane */
export function sluiceRunAt(url: string, { adminToken }: Installation, ...args: string[]): Promise<Run> {
  const launcher = join(projectRoot, "control-plane/src/cli/launcher.mjs");
  const env = {
    PATH: process.env.PATH,
    SLUICE_URL: url,
    SLUICE_ADMIN_TOKEN: adminToken,
  };
  return runCommand(process.execPath, [launcher, ...args], { env });
}

/** Resolves with what it prints; rejects unless it ends with 0. */
export async function sluiceCommand(installation: Installation, ...args: string[]): Promise<string> {
  return printed(await sluiceRun(installation, ...args));
}

/** A command that asks no control plane. Resolves with what it prints; rejects unless it ends with 0. */
export async function localCommand(...args: string[]): Promise<string> {
  return printed(await runCommand(process.execPath, [join(PROGRAMS, "cli/main.js"), ...args], { env: process.env }));
}

/** Over the installation's store. Rejects unless it ends with 0. */
export async function storeAdmin({ folder }: Installation, ...args: string[]): Promise<void> {
  const call = [join(PROGRAMS, "store-admin.js"), ...args, "--data", join(folder, "data")];
  printed(await runCommand(process.execPath, call, { env: process.env }));
}

function printed({ code, stdout, output }: Run): string {
  if (code !== 0) throw new Error(`it ended with ${code}:\n${output}`);
  return stdout;
}
