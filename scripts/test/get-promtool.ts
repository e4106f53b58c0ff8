// Finds a promtool for the tests: PATH, the project's cache, and last Debian's package, unpacked into that cache. Where none
// can be had, the tests that need it are named as not run.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";

export interface PromtoolSearch {
  env: Readonly<Record<string, string | undefined>>;
  /** Holds `promtool`; nothing is installed elsewhere. */
  cacheDir: string;
}

export type FoundPromtool = { readonly binary: string } | { readonly reason: string };

/** Without a network, apt is to say so before a test runs out of time. */
const APT_OPTIONS = ["-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10", "-o", "Acquire::https::Timeout=10"];

export function findPromtool(): Promise<FoundPromtool> {
  return searchPromtool({ env: process.env, cacheDir: join(projectRoot, ".cache") });
}

/** `findPromtool` with its surroundings passed in. */
export async function searchPromtool({ env, cacheDir }: PromtoolSearch): Promise<FoundPromtool> {
  const cached = join(cacheDir, "promtool");
  for (const binary of ["promtool", cached]) if (await runs(binary, env)) return { binary };
  const reason = await unpackInto(cached, env);
  if (reason !== undefined) return { reason: `no promtool on PATH, and ${reason}` };
  return (await runs(cached, env))
    ? { binary: cached }
    : { reason: "the promtool of Debian's package does not run here" };
}

/** Needs no root: the package is downloaded and unpacked, not installed. @returns what failed, or undefined */
async function unpackInto(binary: string, env: PromtoolSearch["env"]): Promise<string | undefined> {
  // Beside its place, and then renamed, so that what was interrupted is never taken for a promtool.
  const partial = `${binary}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const inPartial = { env, cwd: partial };
  try {
    const download = await runCommand("apt-get", ["download", "--quiet", ...APT_OPTIONS, "prometheus"], inPartial);
    const file = readdirSync(partial).find((name) => name.endsWith(".deb"));
    if (download.code !== 0 || file === undefined) return `apt-get has no package of it (${lastLine(download.output)})`;
    const unpack = await runCommand("dpkg-deb", ["--extract", file, "."], inPartial);
    const unpacked = join(partial, "usr/bin/promtool");
    if (unpack.code !== 0 || !existsSync(unpacked))
      return `its package cannot be unpacked (${lastLine(unpack.output)})`;
    renameSync(unpacked, binary);
    return undefined;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

async function runs(binary: string, env: PromtoolSearch["env"]): Promise<boolean> {
  return (await runCommand(binary, ["--version"], { env })).code === 0;
}

function lastLine(output: string): string {
  return output.trim().split("\n").at(-1)?.trim() ?? "";
}
