// Mutants that no test can notice, each with the reason why the program does the same.
import type { Equivalent } from "./mutant.js";

export const EQUIVALENTS: readonly Equivalent[] = [];
