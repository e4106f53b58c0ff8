// The rules that the mutants take out stand in the sources as the mutants name them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../../scripts/project-root.js";
import { mutatedFiles } from "./mutation.js";
import { MUTATIONS } from "./mutations.js";

describe("a rule that a mutant takes out", () => {
  it.each(MUTATIONS)("a rule to take out is in the sources: $rule", (mutation) => {
    const read = (file: string): string => readFileSync(join(projectRoot, file), "utf8");
    for (const [file, text] of mutatedFiles(mutation, read)) expect(text).not.toBe(read(file));
  });
});
