// Finds a Helm for the tests: PATH, the project's cache, and where a build of some minutes is in order, Go. Where none can be had,
// the tests that need it are named as not run.
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";

const MODULE = "helm.sh/helm/v3/cmd/helm@v3.22.0";
/** The golden files are of its major version: another one may print fields in another way. */
const VERSION = /^v3\./;
const BUILD_MS = 1_500_000;

export interface HelmSearch {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Holds `go/bin/helm`; nothing is installed elsewhere. */
  readonly cacheDir: string;
}

export type FoundHelm = { readonly binary: string } | { readonly reason: string };

const here = (): HelmSearch => ({ env: process.env, cacheDir: join(projectRoot, ".cache") });

/** One that is there already: it takes no time. */
export function findHelm(): Promise<FoundHelm> {
  return searchHelm(here());
}

/** One that is there, else one that Go builds into the cache, which takes some minutes. */
export function buildHelm(): Promise<FoundHelm> {
  return searchOrBuildHelm(here());
}

/** `findHelm` with its surroundings passed in. */
export async function searchHelm({ env, cacheDir }: HelmSearch): Promise<FoundHelm> {
  for (const binary of ["helm", builtIn(cacheDir)]) if (await isHelm3(binary, env)) return { binary };
  return { reason: "no helm 3 on PATH or in the cache" };
}

/** `buildHelm` with its surroundings passed in. */
export async function searchOrBuildHelm(search: HelmSearch): Promise<FoundHelm> {
  const found = await searchHelm(search);
  if ("binary" in found) return found;
  const { env, cacheDir } = search;
  const go = join(cacheDir, "go");
  const folders = { GOBIN: join(go, "bin"), GOMODCACHE: join(go, "mod"), GOCACHE: join(go, "build") };
  const options = { CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false -modcacherw" };
  const built = await runCommand("go", ["install", MODULE], {
    env: { ...env, ...folders, ...options },
    timeoutMs: BUILD_MS,
  });
  const binary = builtIn(cacheDir);
  if (built.code === 0 && (await isHelm3(binary, env))) return { binary };
  const why = built.output.trim().split("\n").at(-1) ?? "";
  return { reason: `${found.reason}, and Go cannot build one${why === "" ? "" : ` (${why})`}` };
}

const builtIn = (cacheDir: string): string => join(cacheDir, "go", "bin", "helm");

async function isHelm3(binary: string, env: HelmSearch["env"]): Promise<boolean> {
  const { code, stdout } = await runCommand(binary, ["version", "--template", "{{.Version}}"], { env });
  return code === 0 && VERSION.test(stdout.trim());
}
