// Finds a promtool for the tests: PATH, the project's cache, and last Debian's package, unpacked into that cache. Where none
// can be had, the tests that need it are named as not run.
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";
import { unpackFile } from "./debian-package.js";

export interface PromtoolSearch {
  env: Readonly<Record<string, string | undefined>>;
  /** Holds `promtool`; nothing is installed elsewhere. */
  cacheDir: string;
}

export type FoundPromtool = { readonly binary: string } | { readonly reason: string };

export function findPromtool(): Promise<FoundPromtool> {
  return searchPromtool({ env: process.env, cacheDir: join(projectRoot, ".cache") });
}

/** `findPromtool` with its surroundings passed in. */
export async function searchPromtool({ env, cacheDir }: PromtoolSearch): Promise<FoundPromtool> {
  const cached = join(cacheDir, "promtool");
  for (const binary of ["promtool", cached]) if (await runs(binary, env)) return { binary };
  const packaged = { packageName: "prometheus", path: /^usr\/bin\/promtool$/, target: cached, env };
  const reason = await unpackFile(packaged);
  if (reason !== undefined) return { reason: `no promtool on PATH, and ${reason}` };
  return (await runs(cached, env))
    ? { binary: cached }
    : { reason: "the promtool of Debian's package does not run here" };
}

async function runs(binary: string, env: PromtoolSearch["env"]): Promise<boolean> {
  return (await runCommand(binary, ["--version"], { env })).code === 0;
}
