// A sample of the sources, by a seed.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

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

/**
 * `count` of these, in their order; all where there are no more. Each has its lot by the seed and its own key, so that an edit
 * of one file leaves the sample of the others as it was.
 */
export function sampleOf<T>(all: readonly T[], count: number, seed: number, keyOf: (one: T) => string): readonly T[] {
  const lots = new Map(all.map((one) => [one, lotOf(`${seed} ${keyOf(one)}`)]));
  const lot = (one: T): string => lots.get(one) ?? "";
  const taken = new Set([...all].sort((one, other) => (lot(one) < lot(other) ? -1 : 1)).slice(0, count));
  return all.filter((one) => taken.has(one));
}

const lotOf = (key: string): string => createHash("sha256").update(key).digest("hex");
