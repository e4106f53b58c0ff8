// Compiles a small filter of test/filters in memory, with the settings of test/filters/asconfig.json.
import asc from "assemblyscript/asc";

/** `name` is the file's name without its ending. */
export async function compileFilter(name: string): Promise<Uint8Array> {
  const produced: Uint8Array[] = [];
  const config = ["--config", "test/filters/asconfig.json", "--outFile", "filter.wasm"];
  const { error } = await asc.main([`test/filters/${name}.ts`, ...config], {
    writeFile(_file, contents) {
      if (typeof contents !== "string") produced.push(contents);
    },
  });
  const wasm = produced[0];
  if (error !== null || wasm === undefined)
    throw new Error(`${name} does not compile: ${error?.message ?? "asc wrote nothing"}`);
  return wasm;
}
