// The compiled filter under a name that changes with its content: Envoy never loads a file name a second time.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NAME_CHARS = 12;

/** Copies `wasmFile` to `folder/sluice-HASH.wasm` and returns that path. The file can be read by any user: it is no secret. */
export function versionedFilter(wasmFile: string, folder: string): string {
  const bytes = readFileSync(wasmFile);
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, NAME_CHARS);
  const place = join(folder, `sluice-${hash}.wasm`);
  mkdirSync(folder, { recursive: true });
  // Renamed into place: an Envoy that starts beside us never reads half a file.
  const partial = `${place}.${process.pid}`;
  writeFileSync(partial, bytes, { mode: 0o644 });
  renameSync(partial, place);
  return place;
}
