// A mutant: one small change of the sources that some test should notice, and what became of it.

export interface Mutant {
  /** From the repository's root. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** That line as the sources have it, without its indent. */
  readonly source: string;
  readonly original: string;
  readonly replacement: string;
}

/** "timed out" is noticed too: the tests hang. "not built" is no mutant: the compiler rejects it. */
export type Fate = "noticed" | "timed out" | "survived" | "not built";

export interface JudgedMutant extends Mutant {
  readonly fate: Fate;
}

/** A change that no test can notice, because what the program does stays the same. */
export interface Equivalent {
  readonly file: string;
  readonly source: string;
  readonly original: string;
  readonly replacement: string;
  readonly reason: string;
}

export function survivorsOf(judged: readonly JudgedMutant[], known: readonly Equivalent[]): readonly JudgedMutant[] {
  return judged.filter(({ fate, ...mutant }) => fate === "survived" && !known.some((one) => isSame(one, mutant)));
}

/** The line's number moves with every edit above it, so its text says which one is meant. */
function isSame(one: Equivalent, mutant: Mutant): boolean {
  const keys = ["file", "source", "original", "replacement"] as const;
  return keys.every((key) => one[key] === mutant[key]);
}
