// The bootstrap that every rendered one begins as: envoy.yaml beside package.json.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Found from the sources as well as from build/js. */
export function readEnvoyTemplate(): string {
  const from = import.meta.dirname;
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return readFileSync(join(folder, "envoy.yaml"), "utf8");
  }
  throw new Error(`there is no package.json above ${from}`);
}
