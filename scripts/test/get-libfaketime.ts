// Finds a libfaketime for the tests, which steps the wall clock of one process: the project's cache, or Debian's package,
// unpacked into that cache. Where none can be had, the tests that need it are named as not run.
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";
import { unpackFile } from "./debian-package.js";

export interface LibfaketimeSearch {
  env: Readonly<Record<string, string | undefined>>;
  /** Holds `libfaketime.so`; nothing is installed elsewhere. */
  cacheDir: string;
}

export type FoundLibfaketime = { readonly library: string } | { readonly reason: string };

const IN_PACKAGE = /^usr\/lib\/[^/]+\/faketime\/libfaketime\.so\.1$/;
/** What a program under it takes to be the day. */
const A_DAY = "2001-02-03";

export function findLibfaketime(): Promise<FoundLibfaketime> {
  return searchLibfaketime({ env: process.env, cacheDir: join(projectRoot, ".cache") });
}

/** `findLibfaketime` with its surroundings passed in. */
export async function searchLibfaketime({ env, cacheDir }: LibfaketimeSearch): Promise<FoundLibfaketime> {
  const library = join(cacheDir, "libfaketime.so");
  if (await works(library, env)) return { library };
  const reason = await unpackFile({ packageName: "libfaketime", path: IN_PACKAGE, target: library, env });
  if (reason !== undefined) return { reason: `no libfaketime in .cache, and ${reason}` };
  return (await works(library, env))
    ? { library }
    : { reason: "the libfaketime of Debian's package does not work here" };
}

async function works(library: string, env: LibfaketimeSearch["env"]): Promise<boolean> {
  const faked = { ...env, LD_PRELOAD: library, FAKETIME: `${A_DAY} 04:05:06` };
  const { stdout } = await runCommand(process.execPath, ["-p", "new Date().getFullYear()"], { env: faked });
  return stdout.trim() === A_DAY.slice(0, 4);
}
