// Mutants that no test can notice, each with the reason why the program does the same.
import type { Equivalent } from "./mutant.js";

export const EQUIVALENTS: readonly Equivalent[] = [
  {
    file: "assembly/domain/edge/acquire-answer.ts",
    source: "cursor: u64 = 0;",
    original: "0",
    replacement: "1",
    reason: "an answer without a cursor is rejected, so no answer that is used has this one",
  },
  {
    file: "assembly/domain/json/reader.ts",
    source: "for (let i = 0; i < length; i++) {",
    original: "<",
    replacement: "<=",
    reason: "past the text's end charCodeAt answers -1, which is no surrogate",
  },
  {
    file: "control-plane/src/store/lmdb/sweep-pages.ts",
    source: "const range = { start, end: [planId, untilMs + 1], exclusiveStart: after !== undefined, limit };",
    original: "after !== undefined",
    replacement: "true",
    reason: "without `after` the range starts at a plan's id alone, and no key is that",
  },
];
