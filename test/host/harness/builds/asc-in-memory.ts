// Runs the AssemblyScript compiler without writing a file.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import asc from "assemblyscript/asc";

/** A source file's text. The compiler looks for it in several places: null says that it is not in this one. */
export type ReadSource = (file: string, folder: string) => string | null;

/** @param name of what is compiled, for the message where it does not */
export async function compileInMemory(
  name: string,
  args: readonly string[],
  readFile: ReadSource = readSource,
): Promise<Uint8Array> {
  const produced: Uint8Array[] = [];
  const { error } = await asc.main([...args, "--outFile", "filter.wasm"], {
    readFile,
    writeFile(_file, contents) {
      if (typeof contents !== "string") produced.push(contents);
    },
  });
  const wasm = produced[0];
  if (error !== null || wasm === undefined)
    throw new Error(`${name} does not compile: ${error?.message ?? "asc wrote nothing"}`);
  return wasm;
}

export function readSource(file: string, folder: string): string | null {
  try {
    return readFileSync(resolve(folder, file), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
