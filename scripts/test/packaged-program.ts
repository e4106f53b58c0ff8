// Finds a program for the tests: on PATH, in the project's cache, or last as a package, unpacked into that cache.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "../run-command.js";

export interface ProgramSearch {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Holds a folder for each program; nothing is installed elsewhere. */
  readonly cacheDir: string;
}

export interface FoundProgram {
  readonly binary: string;
  /** What its environment has to hold. */
  readonly env: Readonly<Record<string, string>>;
}

export type ProgramOrReason = { readonly program: FoundProgram } | { readonly reason: string };

/** Where a program comes from. */
export interface ProgramSource {
  /** As a reader would call it. */
  readonly name: string;
  readonly onPath: string;
  /** Of what it says of its version. */
  readonly version: RegExp;
  /** In the project's cache. */
  readonly folder: string;
  /** Where the program stands in it. */
  readonly program: RegExp;
  /** Fills the folder. @returns what failed, or undefined */
  readonly fetch: (target: string, env: ProgramSearch["env"]) => Promise<string | undefined>;
}

export async function searchProgram(source: ProgramSource, { env, cacheDir }: ProgramSearch): Promise<ProgramOrReason> {
  const { name, onPath, version, folder, program, fetch } = source;
  const installed = { binary: onPath, env: {} };
  if (await isVersion(version, installed, env)) return { program: installed };
  const target = join(cacheDir, folder);
  const cached = async (): Promise<FoundProgram | undefined> => {
    const unpacked = unpackedIn(target, program);
    return (await isVersion(version, unpacked, env)) ? unpacked : undefined;
  };
  const before = await cached();
  if (before !== undefined) return { program: before };
  const failure = await fetchInto(
    target,
    (partial) => fetch(partial, env),
    async () => (await cached()) !== undefined,
  );
  if (failure !== undefined) return { reason: `no ${name} on PATH, and ${failure}` };
  const fetched = await cached();
  return fetched === undefined
    ? { reason: `no ${name} on PATH, and its package has none that runs here` }
    : { program: fetched };
}

/**
 * Test files that run at the same time may all fetch it: each into a folder of its own, and the first one there is kept.
 * @param isThere whether what lies in `target` is what is wanted
 */
async function fetchInto(
  target: string,
  fetch: (partial: string) => Promise<string | undefined>,
  isThere: () => Promise<boolean>,
): Promise<string | undefined> {
  mkdirSync(dirname(target), { recursive: true });
  const own = mkdtempSync(`${target}.`);
  try {
    const [fetched, old] = [join(own, "new"), join(own, "old")];
    const failure = await fetch(fetched);
    if (failure !== undefined) return failure;
    if (await isThere()) return undefined;
    if (existsSync(target)) renameSync(target, old);
    renameSync(fetched, target);
    return undefined;
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** With every folder below in which libraries lie. */
function unpackedIn(folder: string, program: RegExp): FoundProgram {
  const entries = filesIn(folder);
  const binary = entries.find((entry) => program.test(entry)) ?? "none";
  const libraries = entries.filter((entry) => /\.so(\.\d+)*$/.test(entry)).map((entry) => join(folder, dirname(entry)));
  return {
    binary: join(folder, binary),
    env: libraries.length === 0 ? {} : { LD_LIBRARY_PATH: [...new Set(libraries)].join(":") },
  };
}

export const filesIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];

async function isVersion(
  version: RegExp,
  { binary, env }: FoundProgram,
  around: ProgramSearch["env"],
): Promise<boolean> {
  const { code, stdout } = await runCommand(binary, ["--version"], { env: { ...around, ...env } });
  return code === 0 && version.test(stdout);
}
