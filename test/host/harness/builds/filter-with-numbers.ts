// A build of the filter with other numbers in its sources: what happens at 4,096 of something is seen at 8. Compiled in
// memory, from the sources as they are, as asconfig.json compiles the release.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import asc from "assemblyscript/asc";

/** By file, then by name: `export const NAME: u32 = …;` in that file. */
export type Numbers = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface Changes {
  /** Files that have another text. */
  readonly changed?: ReadonlyMap<string, string>;
  /** Of the compiler. */
  readonly options?: readonly string[];
}

/** @param entry the file with the exports, as assembly/index.ts */
export async function filterWithNumbers(entry: string, numbers: Numbers, changes: Changes = {}): Promise<Uint8Array> {
  const { changed = new Map<string, string>(), options = [] } = changes;
  const produced: Uint8Array[] = [];
  const config = ["--config", "asconfig.json", "--target", "release", "--outFile", "filter.wasm", ...options];
  const { error } = await asc.main([entry, ...config], {
    readFile: (file, folder) => {
      const text = changed.get(file) ?? sourceOf(file, folder);
      return text === null ? null : withNumbers(file, text, numbers[file] ?? {});
    },
    writeFile(_file, contents) {
      if (typeof contents !== "string") produced.push(contents);
    },
  });
  const wasm = produced[0];
  if (error !== null || wasm === undefined)
    throw new Error(`the filter does not compile: ${error?.message ?? "asc wrote nothing"}`);
  return wasm;
}

/** asc looks for a file in several places: null says that it is not in this one. */
function sourceOf(file: string, folder: string): string | null {
  try {
    return readFileSync(resolve(folder, file), "utf8");
  } catch {
    return null;
  }
}

function withNumbers(file: string, text: string, numbers: Readonly<Record<string, number>>): string {
  return Object.entries(numbers).reduce((source, [name, value]) => {
    const line = new RegExp(`(export const ${name}: u32 = )\\d+;`);
    if (!line.test(source)) throw new Error(`${file} has no ${name} of the expected form`);
    return source.replace(line, `$1${value};`);
  }, text);
}
