// The folder that holds package.json, found from the sources as well as from build/js.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Absolute path of the project. */
export const projectRoot: string = findRoot(import.meta.dirname);

function findRoot(from: string): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
  }
  throw new Error(`there is no package.json above ${from}`);
}
