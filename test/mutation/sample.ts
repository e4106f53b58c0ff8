// A sample of the sources: the same seed takes the same part of the same sources.
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";

export interface LineRange {
  readonly file: string;
  /** Both counted from 1, both within the range. */
  readonly first: number;
  readonly last: number;
}

/** Long enough for a whole decision, short enough that a sample is spread over many files. */
const BLOCK_LINES = 12;

export function sourceFiles(folders: readonly string[]): string[] {
  const inFolder = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
      .map((name) => `${folder}/${name}`);
  return folders.flatMap(inFolder).sort();
}

/** All lines of these files, cut into blocks. */
export function blocksOf(files: readonly string[]): LineRange[] {
  return files.flatMap((file) => {
    const lines = readFileSync(file, "utf8").split("\n").length;
    return Array.from({ length: Math.ceil(lines / BLOCK_LINES) }, (_, index) => {
      return { file, first: index * BLOCK_LINES + 1, last: Math.min((index + 1) * BLOCK_LINES, lines) };
    });
  });
}

/** `count` of these, in their order; all where there are no more. */
export function sampleOf<T>(all: readonly T[], count: number, seed: number): readonly T[] {
  if (count >= all.length) return all;
  return fc.sample(fc.subarray([...all], { minLength: count, maxLength: count }), { seed, numRuns: 1 })[0] ?? [];
}
