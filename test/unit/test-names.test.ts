// The name of a test is a short sentence with a subject of its own: a report shows it without what stands around it.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../scripts/project-root.js";
import { textOf } from "./docs.js";

/** Where names are held to the rule: "control-plane/test" follows once its names are sentences too. */
const FOLDERS = ["assembly/__tests__", "test"];

const MAX_CHARACTERS = 90;

/** First words of a name that goes on with the sentence of its describe block. */
const FRAGMENTS = new Set(
  [
    "and are as at be because before between but by can cannot could did do does for from had has have if in into is",
    "its may might must nor not of on or over right says shall should so than that their then though to under until",
    "was were when where whether which while who whose will with within without would",
    "accepts admits agrees allows answers appears asks adds begins breaks brings builds calls carries changes clears",
    "closes comes consumes contains continues creates decides deletes denies describes ends expires explains fails",
    "finds follows gets gives goes grows holds ignores inserts installs keeps knows lacks leaves lets logs loses makes",
    "marks moves needs never opens overwrites passes pays pins prints promises puts reaches reads rejects refuses",
    "removes repeats reports responds restores returns revokes runs sends serves sets shares shows skips spends stands",
    "starts stays stops stores survives takes tells throws tries turns uses waits warns writes",
  ].flatMap((line) => line.split(" ")),
);

interface TestName {
  readonly at: string;
  readonly text: string;
}

/** What `it(…)`, `test(…)`, `it.each(…)(…)` and their kin call a test; undefined for any other call. */
function nameIn(call: ts.CallExpression, tree: ts.SourceFile): ts.Expression | undefined {
  const isCalledWithRows = ts.isCallExpression(call.expression);
  const path = (isCalledWithRows ? call.expression.expression : call.expression).getText(tree);
  const kind = /^(?:it|test)(?:\.(each|for|runIf|skipIf))?$/.exec(path);
  if (kind === null || isCalledWithRows !== (kind[1] !== undefined)) return undefined;
  return call.arguments[0];
}

function namesIn(file: string, source = textOf(file)): TestName[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest);
  const found: TestName[] = [];
  const visit = (node: ts.Node): void => {
    const name = ts.isCallExpression(node) ? nameIn(node, tree) : undefined;
    if (name !== undefined) {
      const line = tree.getLineAndCharacterOfPosition(name.getStart(tree)).line + 1;
      found.push({ at: `${file}:${line}`, text: name.getText(tree).replace(/^(["'`])([^]*)\1$/, "$2") });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function violationOf(text: string): string | undefined {
  if (text.length > MAX_CHARACTERS) return `has ${text.length} characters`;
  const [first = ""] = text.split(/[\s,:;]/);
  if (FRAGMENTS.has(first)) return `begins with "${first}", which needs the sentence before it`;
  if (/\bit all\b|\ball the same\b/.test(text)) return "leans on the sentence before it";
  return undefined;
}

function testFilesIn(folder: string): string[] {
  const inside = readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8" });
  return inside.filter((file) => /\.(?:test|spec)\.ts$/.test(file)).map((file) => `${folder}/${file}`);
}

const names = FOLDERS.flatMap(testFilesIn).map((file) => namesIn(file));

describe("names of tests", () => {
  it("every test is named by a short sentence with a subject of its own", () => {
    expect(names.length).toBeGreaterThan(0);
    const violations = names.flat().flatMap(({ at, text }) => {
      const violation = violationOf(text);
      return violation === undefined ? [] : [`${at} "${text}" ${violation}`];
    });
    expect(violations).toEqual([]);
  });

  it("no two tests of a file have the same name", () => {
    const repeated = names.flatMap((ofFile) => {
      const texts = ofFile.map(({ text }) => text);
      return ofFile.filter(({ text }, index) => texts.indexOf(text) !== index);
    });
    expect(repeated).toEqual([]);
  });

  it("a name is found in each way of declaring a test", () => {
    const source = [
      `it("one session", () => {});`,
      `test('two sessions', () => {});`,
      `it.each([1])("%i sessions", () => {});`,
      "it.runIf(true)(`as many as ${MAX}`, () => {});",
      `describe("sessions", () => {});`,
    ];
    const texts = namesIn("some.test.ts", source.join("\n")).map(({ text }) => text);
    expect(texts).toEqual(["one session", "two sessions", "%i sessions", "as many as ${MAX}"]);
  });

  it.each([
    ["is denied", 'begins with "is", which needs the sentence before it'],
    ["and never comes back", 'begins with "and", which needs the sentence before it'],
    ["an invented session is denied all the same", "leans on the sentence before it"],
    [`a ${"very ".repeat(18)}long name`, "has 101 characters"],
  ])("the name “%s” is rejected", (text, violation) => {
    expect(violationOf(text)).toBe(violation);
  });
});
