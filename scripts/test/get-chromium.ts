// Finds a Chromium for the tests: PATH, the project's cache, and last Debian's package without a window, unpacked into that
// cache with the libraries that it needs. Where none can be had, the tests that need it are named as not run.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";
import { unpackWithDependencies } from "./debian-package.js";

export interface ChromiumSearch {
  env: Readonly<Record<string, string | undefined>>;
  /** Holds the folder `chromium`; nothing is installed elsewhere. */
  cacheDir: string;
}

export interface Chromium {
  readonly binary: string;
  /** What its environment has to hold. */
  readonly env: Readonly<Record<string, string>>;
}

export type FoundChromium = { readonly chromium: Chromium } | { readonly reason: string };

const PACKAGE = "chromium-headless-shell";
const ON_PATH = [PACKAGE, "chromium", "chromium-browser", "google-chrome"];
const IN_PACKAGE = "usr/lib/chromium/chromium-headless-shell";

export function findChromium(): Promise<FoundChromium> {
  return searchChromium({ env: process.env, cacheDir: join(projectRoot, ".cache") });
}

/** `findChromium` with its surroundings passed in. */
export async function searchChromium({ env, cacheDir }: ChromiumSearch): Promise<FoundChromium> {
  const folder = join(cacheDir, "chromium");
  for (const binary of ON_PATH) if (await runs({ binary, env: {} }, env)) return { chromium: { binary, env: {} } };
  const cached = unpackedIn(folder);
  if (await runs(cached, env)) return { chromium: cached };
  const reason = await unpackWithDependencies({ packageName: PACKAGE, target: folder, env });
  if (reason !== undefined) return { reason: `no Chromium on PATH, and ${reason}` };
  const fetched = unpackedIn(folder);
  return (await runs(fetched, env))
    ? { chromium: fetched }
    : { reason: "the Chromium of Debian's package does not run here" };
}

/** With every folder below in which libraries lie: some of Debian's have one of their own. */
function unpackedIn(folder: string): Chromium {
  const entries = existsSync(folder) ? readdirSync(join(folder), { recursive: true, encoding: "utf8" }) : [];
  const libraries = entries.filter((name) => /\.so(\.\d+)*$/.test(name)).map((name) => join(folder, dirname(name)));
  return { binary: join(folder, IN_PACKAGE), env: { LD_LIBRARY_PATH: [...new Set(libraries)].join(":") } };
}

async function runs({ binary, env }: Chromium, around: ChromiumSearch["env"]): Promise<boolean> {
  return (await runCommand(binary, ["--version"], { env: { ...around, ...env } })).code === 0;
}
