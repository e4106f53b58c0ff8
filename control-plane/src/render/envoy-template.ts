// The bootstrap that every rendered one begins as: envoy.yaml beside package.json.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FileReader } from "../files/file-reader.js";

/** It is 5 KB long, and people edit it. */
const MAX_TEMPLATE_BYTES = 1_048_576;

/** Found from the sources as well as from build/js. */
export async function readEnvoyTemplate(reader: FileReader): Promise<string> {
  const from = import.meta.dirname;
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    if (!existsSync(join(folder, "package.json"))) continue;
    return (await reader.read(join(folder, "envoy.yaml"), MAX_TEMPLATE_BYTES)).toString("utf8");
  }
  throw new Error(`there is no package.json above ${from}`);
}
