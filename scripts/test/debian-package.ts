// One file of a Debian package, unpacked into the project's cache. Needs no root: nothing is installed.
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../run-command.js";

export interface PackagedFile {
  readonly packageName: string;
  /** Its place in the package, below the folders that every one has. */
  readonly path: RegExp;
  /** Where it is to lie. */
  readonly target: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Without a network, apt is to say so before a test runs out of time. */
const APT_OPTIONS = ["-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10", "-o", "Acquire::https::Timeout=10"];

/** @returns what failed, or undefined */
export async function unpackFile({ packageName, path, target, env }: PackagedFile): Promise<string | undefined> {
  // Beside its place, and then renamed, so that what was interrupted is never taken for the file.
  const partial = `${target}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const inPartial = { env, cwd: partial };
  try {
    const download = await runCommand("apt-get", ["download", "--quiet", ...APT_OPTIONS, packageName], inPartial);
    const file = readdirSync(partial).find((name) => name.endsWith(".deb"));
    if (download.code !== 0 || file === undefined) return `apt-get has no package of it (${lastLine(download.output)})`;
    const unpack = await runCommand("dpkg-deb", ["--extract", file, "."], inPartial);
    const unpacked = readdirSync(partial, { recursive: true, encoding: "utf8" }).find((name) => path.test(name));
    if (unpack.code !== 0 || unpacked === undefined)
      return `its package cannot be unpacked (${lastLine(unpack.output)})`;
    renameSync(join(partial, unpacked), target);
    return undefined;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function lastLine(output: string): string {
  return output.trim().split("\n").at(-1)?.trim() ?? "";
}
