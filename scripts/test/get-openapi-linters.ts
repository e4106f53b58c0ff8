// Finds the linters of the OpenAPI document for the tests: in the project's cache, else by `npm ci` of test/openapi's own lock
// file into it. Where they cannot be had, the test that needs them is named as not run.
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";

export interface LinterSearch {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Holds the folder `openapi-linters`; nothing is installed elsewhere. */
  readonly cacheDir: string;
}

/** The folder of the linters' programs. */
export type FoundLinters = { readonly programs: string } | { readonly reason: string };

const PINS = join(projectRoot, "test/openapi");
const LOCK = "package-lock.json";

export function findOpenApiLinters(): Promise<FoundLinters> {
  return searchOpenApiLinters({ env: process.env, cacheDir: join(projectRoot, ".cache") });
}

/** `findOpenApiLinters` with its surroundings passed in. */
export async function searchOpenApiLinters({ env, cacheDir }: LinterSearch): Promise<FoundLinters> {
  const folder = join(cacheDir, "openapi-linters");
  const programs = join(folder, "node_modules/.bin");
  if (isInstalled(folder)) return { programs };
  const begun = `${folder}.new`;
  rmSync(begun, { recursive: true, force: true });
  mkdirSync(begun, { recursive: true });
  for (const file of ["package.json", LOCK]) cpSync(join(PINS, file), join(begun, file));
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { code, stderr } = await runCommand("npm", ["ci", ...options], { env, cwd: begun });
  if (code !== 0) {
    rmSync(begun, { recursive: true, force: true });
    return { reason: `npm cannot install the linters of test/openapi (${stderr.trim().split("\n")[0] ?? ""})` };
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(begun, folder);
  return { programs };
}

/** Those of the lock file as it is now. */
function isInstalled(folder: string): boolean {
  const lock = join(folder, LOCK);
  return existsSync(lock) && readFileSync(lock, "utf8") === readFileSync(join(PINS, LOCK), "utf8");
}
