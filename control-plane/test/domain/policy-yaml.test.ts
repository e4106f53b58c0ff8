// Whatever YAML can say, the control plane answers a policy or violations with their line and column, and never fails.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_VIOLATIONS } from "../../../assembly/contract.js";
import { readDocument, readPolicyDocument, readSettingsDocument } from "../../src/domain/policy/read-policy.js";
import { yamlTexts, YAML_TAGS } from "../support/yaml-texts.js";

const PLAN = "{ id: 0, name: default, maxTokens: 100, tokenRefillRate: 10 }";

/** Of a text as each kind of document: every violation stands within the text. */
function expectAnswers(text: string): void {
  const lines = text.split(/\r\n|\n|\r/);
  for (const result of [readPolicyDocument(text), readSettingsDocument(text), readDocument(text)]) {
    if (!("violations" in result)) continue;
    expect(result.violations.length).toBeGreaterThan(0);
    expect(result.violations.length).toBeLessThanOrEqual(MAX_VIOLATIONS);
    for (const { line, column, message } of result.violations) {
      expect(message).not.toBe("");
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(lines.length);
      expect(column).toBeGreaterThanOrEqual(1);
      expect(column).toBeLessThanOrEqual((lines[line - 1] ?? "").length + 1);
    }
  }
}

describe("a slip in YAML", () => {
  const plan = (...lines: string[]): string =>
    `version: 1\nplans:\n  - id: 0\n${lines.join("\n")}\nenforcement: shadow\n`;

  test.each<[what: string, yaml: string, line: number]>([
    ["a tab", plan("\tname: a", "    maxTokens: 100", "    tokenRefillRate: 10", "    scope: edge"), 4],
    ["tabs", plan("\tname: a", "\tmaxTokens: 100", "\ttokenRefillRate: 10"), 4],
    ["a tab after a line too long", plan("    name: a", "      maxTokens: 1", "\ttokenRefillRate: 1"), 6],
    ["an open quote", plan('    name: "a', "    maxTokens: 100", "    tokenRefillRate: 10"), 8],
    ["an open bracket", plan("    name: [a", "    maxTokens: 100", "    tokenRefillRate: 10"), 5],
    ["an open brace", "version: 1\nplans:\n  - { id: 0, name: a\n  - { id: 1, name: b }\nenforcement: shadow\n", 4],
    ["a bracket too many", "version: 1\nplans: []]\nenforcement: {}}\n", 2],
    ["a line indented too far", plan("     name: a", "    maxTokens: 1", "   tokenRefillRate: 3"), 3],
    ["a line indented too little", plan("    name: a", "   maxTokens: 1", "  tokenRefillRate: 3"), 5],
    ["a colon that is missing", "version: 1\nplans\n  - id: 0\n    name: a\n", 2],
    ["a colon too many", plan("    name: a: b", "    maxTokens: 1"), 4],
    ["what git leaves of a conflict", "<<<<<<< HEAD\nversion: 1\n=======\nversion: 2\n>>>>>>> x\nplans: []\n", 1],
    ["three documents", "version: 1\n---\nversion: 1\n---\nversion: 1\n", 2],
  ])("a policy with %s has one violation, and its line", (_, yaml, line) => {
    const result = readPolicyDocument(yaml);
    expect("violations" in result ? result.violations : []).toMatchObject([{ path: "", line }]);
    expectAnswers(yaml);
  });
});

describe("YAML beyond JSON", () => {
  test.each(YAML_TAGS)("a policy with the tag %s is rejected, and within its text", (tag) => {
    for (const value of ["[a: 1]", "[a, b]", "{ a: 1 }", "{ ? a }", "a", "1", '"YQ=="', "2001-01-01", "", "[[a, b]]"]) {
      for (const yaml of [
        `version: 1\nplans: [${PLAN}]\nroutes: ${tag} ${value}\n`,
        `version: 1\nplans: [${PLAN}]\n? ${tag} ${value}\n: 1\n`,
        `version: 1\nplans: [${PLAN}]\nroutes:\n  - ${tag} ${value}\n`,
        `version: 1\nplans: [${PLAN}]\nroutes: ${tag}\n  - a: 1\n  - b: 2\n`,
        `${tag} ${value}`,
      ]) {
        expectAnswers(yaml);
        expect(readPolicyDocument(yaml)).toHaveProperty("violations");
      }
    }
  });

  const head = `version: 1\nplans: [${PLAN}]\n`;
  test.each<[string, number, number, string]>([
    ["before a flow list", 3, 9, `${head}routes: !!omap [a: 1]\n`],
    ["before a block list", 3, 9, `${head}routes: !!pairs\n  - a: 1\n  - b: 2\n`],
    ["before a block map, after a comment", 3, 9, `${head}routes: !!set # all!\n  # of them\n  a: 1\n`],
    ["in a list", 4, 5, `${head}routes:\n  - !foo a\n`],
    ["in a flow map", 2, 24, 'version: 1\nplans: [{ id: 0, name: !!binary "YQ==" }]\n'],
    ["after an anchor", 3, 12, `${head}routes: &a !<tag:yaml.org,2002:omap> [a: 1]\n`],
    ["before an anchor", 3, 9, `${head}routes: !!timestamp &a 2001-01-01\n`],
    ["as a key", 3, 3, `${head}? !!omap [a, b]\n: 1\n`],
    ["that cannot be resolved", 3, 9, `${head}routes: !e!foo [a]\n`],
    ["of the whole document", 1, 1, "!!merge { a: 1 }\n"],
  ])("a tag %s is rejected with its line and column", (_, line, column, yaml) => {
    const result = readPolicyDocument(yaml);
    expect("violations" in result ? result.violations.map((one) => [one.line, one.column]) : []).toContainEqual([
      line,
      column,
    ]);
  });

  test("any YAML is answered with violations that stand within the text", () => {
    fc.assert(fc.property(yamlTexts, expectAnswers), {
      numRuns: 1500,
      seed: 12,
    });
  });
});
