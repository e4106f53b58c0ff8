// The program's version: package.json's, found from the sources as well as from build/js.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Reads the nearest package.json above this file. */
export function ownVersion(): string {
  const from = import.meta.dirname;
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file)) return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  }
  throw new Error(`there is no package.json above ${from}`);
}
