// What an image says of itself, under the names of the OCI image specification.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Failure } from "../failure.js";
import { runCommand } from "../run-command.js";

export interface Source {
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A commit; "none": do not say; undefined: that of the clone, where its files are as committed. */
  readonly revision: string | undefined;
}

const COMMIT = /^[\da-f]{40,64}$/;

/**
 * @param file the build's: `sluice-lean.wasm` is "sluice-lean"
 * @throws Failure: the revision that is asked for is none
 */
export async function annotationsOf(file: string, source: Source): Promise<Record<string, string>> {
  const { version, license } = JSON.parse(readFileSync(join(source.root, "package.json"), "utf8")) as Package;
  const revision = await revisionOf(source);
  return {
    "org.opencontainers.image.licenses": license,
    ...(revision !== undefined && { "org.opencontainers.image.revision": revision }),
    "org.opencontainers.image.title": basename(file, ".wasm"),
    "org.opencontainers.image.version": version,
  };
}

interface Package {
  readonly version: string;
  readonly license: string;
}

/** A clone with changes is not its commit, and says none. Files that git does not follow change nothing. */
async function revisionOf({ root, env, revision }: Source): Promise<string | undefined> {
  if (revision === "none") return undefined;
  if (revision !== undefined) {
    if (COMMIT.test(revision)) return revision;
    throw new Failure(`--revision ${revision} is no commit: expected its 40 or 64 hex digits, or none`);
  }
  const git = (...args: string[]): ReturnType<typeof runCommand> => runCommand("git", args, { env, cwd: root });
  const changes = await git("status", "--porcelain", "--untracked-files=no");
  if (changes.code !== 0 || changes.stdout !== "") return undefined;
  const head = (await git("rev-parse", "HEAD")).stdout.trim();
  return COMMIT.test(head) ? head : undefined;
}
