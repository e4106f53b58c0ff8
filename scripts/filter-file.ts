// The compiled filter under a name that changes with its content: Envoy never loads a file name a second time.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Of a policy: what the choice of a build goes by. */
interface Settling {
  readonly routes: readonly { readonly settle: object | null }[];
}

const NAME_CHARS = 12;
const NAME = /^sluice-[0-9a-f]{12}\.wasm$/;

/** The file in `build/` that serves the policy: only one build can settle, at some cost for each response. */
export const filterBuildFor = ({ routes }: Settling): string =>
  routes.some(({ settle }) => settle !== null) ? "sluice-settle.wasm" : "sluice.wasm";

/** Copies `wasmFile` to `folder/sluice-HASH.wasm` and returns that path. The file can be read by any user: it is no secret. */
export function versionedFilter(wasmFile: string, folder: string): string {
  const bytes = readFileSync(wasmFile);
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, NAME_CHARS);
  const path = join(folder, `sluice-${hash}.wasm`);
  mkdirSync(folder, { recursive: true });
  // Renamed into place: an Envoy that starts beside us never reads half a file.
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, bytes, { mode: 0o644 });
  renameSync(partial, path);
  return path;
}

/**
 * Removes the copies beside this one, but for the one that was made last: an Envoy that still runs may have it. A copy
 * that is made again counts as made then.
 */
export function forgetOldFilters(current: string): void {
  const folder = dirname(current);
  const madeMs = (file: string): number => statSync(file).mtimeMs;
  const others = readdirSync(folder)
    .filter((name) => NAME.test(name) && name !== basename(current))
    .map((name) => join(folder, name))
    .sort((one, other) => madeMs(other) - madeMs(one));
  for (const file of others.slice(1)) rmSync(file, { force: true });
}
