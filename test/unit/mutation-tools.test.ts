// Mutation testing itself: which mutants it makes, which survivors it reports, and that its list of equivalents is true.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EQUIVALENTS } from "../mutation/equivalents.js";
import { mutantsOf } from "../mutation/filter/token-mutants.js";
import { type JudgedMutant, survivorsOf } from "../mutation/mutant.js";
import { reportLines } from "../mutation/report.js";
import { blocksOf, sampleOf, sourceFiles } from "../mutation/sample.js";

const changesOf = (text: string): string[] => mutantsOf("a.ts", text).map(({ changed }) => changed);

describe("mutants of the filter", () => {
  it("an operator, a number, a condition and a negation are changed one at a time", () => {
    expect(changesOf("if (!a && b < 7) c = true;")).toEqual([
      "if (!a || b < 7) c = true;",
      "if (a && b < 7) c = true;",
      "if (!a && b <= 7) c = true;",
      "if (!a && b < 8) c = true;",
      "if (!a && b < 7) c = false;",
    ]);
  });

  it("a call whose result nobody takes and an early return are removed", () => {
    expect(changesOf("send(a);\nif (failed) return;\ndone = more();")).toEqual([
      ";\nif (failed) return;\ndone = more();",
      "send(a);\n;\ndone = more();",
    ]);
  });

  it("AssemblyScript's decorators and types are read and left as they are", () => {
    const source =
      "// @ts-ignore: decorator\n@inline\nexport function f(a: StaticArray<u8>): u32 {\n  return a[0];\n}\n";
    expect(changesOf(source)).toEqual([source.replace("a[0]", "a[1]")]);
  });

  it("a mutant says where it is by file, line and the line's text", () => {
    expect(mutantsOf("a.ts", "let a = b;\n  a = a + b;")).toMatchObject([
      { file: "a.ts", line: 2, source: "a = a + b;", original: "+", replacement: "-" },
    ]);
  });
});

describe("the sample of mutants", () => {
  const blocks = blocksOf(sourceFiles(["control-plane/src/domain"]));

  const sample = (count: number, seed: number, of = blocks) =>
    sampleOf(of, count, seed, ({ file, first }) => `${file}:${first}`);

  it("the same seed takes the same part of the sources, another seed another", () => {
    expect(sample(10, 3)).toHaveLength(10);
    expect(sample(10, 3)).toEqual(sample(10, 3));
    expect(sample(10, 3)).not.toEqual(sample(10, 4));
    expect(sample(1_000_000, 3)).toEqual(blocks);
  });

  it("a file that goes leaves the sample of the other files as it was, and makes room for more", () => {
    const taken = sample(30, 3);
    const { file: gone } = taken[0] ?? { file: "" };
    const others = sample(
      30,
      3,
      blocks.filter(({ file }) => file !== gone),
    );
    expect(others).toHaveLength(30);
    expect(others).toEqual(expect.arrayContaining(taken.filter(({ file }) => file !== gone)));
  });

  it("the blocks of the sources hold every line once", () => {
    const file = "control-plane/src/domain/session.ts";
    const lines = blocksOf([file]).flatMap(({ first, last }) => {
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
    expect(lines).toEqual(
      readFileSync(file, "utf8")
        .split("\n")
        .map((_, index) => index + 1),
    );
  });
});

describe("survivors", () => {
  const mutant = { file: "a.ts", line: 3, source: "if (a < b) return;", original: "<", replacement: "<=" };
  const survivor: JudgedMutant = { ...mutant, fate: "survived" };
  const equivalent = { ...mutant, reason: "a is never b" };

  it("a survivor is reported unless the list of equivalents has it, on whatever line", () => {
    expect(survivorsOf([survivor, { ...survivor, fate: "noticed" }], [])).toEqual([survivor]);
    expect(survivorsOf([{ ...survivor, line: 9 }], [equivalent])).toEqual([]);
    expect(survivorsOf([{ ...survivor, source: "if (a < b) break;" }], [equivalent])).toHaveLength(1);
  });

  it("the report counts the built mutants, and prints a survivor as the list names it", () => {
    const judged = [survivor, { ...survivor, line: 4 }, { ...survivor, fate: "noticed" } as const];
    const [counts, named] = reportLines("filter", 1, [...judged, { ...survivor, fate: "not built" }], [survivor]);
    expect(counts).toBe("filter, seed 1: 3 mutants, 1 noticed, 1 equivalent, 1 survived");
    expect(named).toContain('a.ts:3\n  {"file":"a.ts","source":"if (a < b) return;"');
  });

  it("every equivalent mutant stands in the sources, and has its reason", () => {
    for (const { file, source, original, reason } of EQUIVALENTS) {
      const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
      expect(lines.map((line) => line.trim())).toContain(source);
      // A mutant may span several lines; its line has the first of them.
      expect(source).toContain(original.split("\n")[0]?.trim());
      expect(reason.length).toBeGreaterThan(20);
    }
  });
});
