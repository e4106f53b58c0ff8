// A build of the filter with other numbers in its sources: what happens at 4,096 of something is seen at 8. Compiled in
// memory, from the sources as they are, as asconfig.json compiles the release.
import { compileInMemory, readSource } from "./asc-in-memory.js";

/** By file, then by name: `export const NAME: u32 = …;` in that file. */
export type Numbers = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface Changes {
  /** Files that have another text. */
  readonly changed?: ReadonlyMap<string, string>;
  /** Of the compiler. */
  readonly options?: readonly string[];
}

/** @param entry the file with the exports, as assembly/index.ts */
export function filterWithNumbers(entry: string, numbers: Numbers, changes: Changes = {}): Promise<Uint8Array> {
  const { changed = new Map<string, string>(), options = [] } = changes;
  const args = [entry, "--config", "asconfig.json", "--target", "release", ...options];
  return compileInMemory("the filter", args, (file, folder) => {
    const text = changed.get(file) ?? readSource(file, folder);
    return text === null ? null : withNumbers(file, text, numbers[file] ?? {});
  });
}

function withNumbers(file: string, text: string, numbers: Readonly<Record<string, number>>): string {
  return Object.entries(numbers).reduce((source, [name, value]) => {
    const line = new RegExp(`(export const ${name}: u32 = )\\d+;`);
    if (!line.test(source)) throw new Error(`${file} has no ${name} of the expected form`);
    return source.replace(line, `$1${value};`);
  }, text);
}
