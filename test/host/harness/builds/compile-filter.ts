// Compiles a small filter of test/filters in memory, with the settings of test/filters/asconfig.json.
import { compileInMemory } from "./asc-in-memory.js";

/** `name` is the file's name without its ending. */
export function compileFilter(name: string): Promise<Uint8Array> {
  return compileInMemory(name, [`test/filters/${name}.ts`, "--config", "test/filters/asconfig.json"]);
}
