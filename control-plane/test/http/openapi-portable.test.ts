// docs/openapi.json is for programs in any language: their names for operations, their integers, their patterns, their
// formats. That it is what a control plane answers with, openapi-file.test.ts says.
import { readFileSync } from "node:fs";

import { RE2 } from "re2-wasm";
import { describe, expect, it } from "vitest";

import type { OpenApiDocument, Operation } from "../support/described-answers.js";

type Node = Readonly<Record<string, unknown>>;
const FILE = new URL("../../../docs/openapi.json", import.meta.url);
const document = JSON.parse(readFileSync(FILE, "utf8")) as OpenApiDocument;

/** Every object in it, with its place. Examples are values. */
function* nodesIn(value: unknown, at = ""): Generator<readonly [at: string, node: Node]> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield [at, value as Node];
  for (const [key, one] of Object.entries(value)) if (!/^examples?$/.test(key)) yield* nodesIn(one, `${at}/${key}`);
}
const nodes = [...nodesIn(document)];
const valuesOf = (key: string): string[] => [
  ...new Set(nodes.map(([, node]) => node[key]).filter((value) => typeof value === "string")),
];
const operations: Operation[] = Object.values(document.paths).flatMap((methods) => Object.values(methods));

describe("the OpenAPI document in other languages", () => {
  it("the OpenAPI document names each operation once, as a function is named in most languages", () => {
    const names = operations.map(({ operationId }) => operationId);
    expect(names.filter((name) => !/^[a-z]+([A-Z][a-z]+)*$/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  it("the OpenAPI document gives each operation a tag, a credential and a summary", () => {
    const explained = document.tags.map(({ name }) => name);
    expect([...new Set(operations.flatMap(({ tags }) => tags))].sort()).toEqual([...explained].sort());
    expect(operations.filter(({ security }) => security.length === 0)).toEqual([]);
    expect(operations.filter(({ summary }) => summary === "")).toEqual([]);
  });

  it("the OpenAPI document has patterns that RE2, Python, Java and JavaScript read alike", () => {
    const patterns = valuesOf("pattern");
    expect(patterns.length).toBeGreaterThan(5);
    for (const pattern of patterns) {
      expect(() => new RE2(pattern, "u"), pattern).not.toThrow();
      expect(() => new RegExp(pattern, "u"), pattern).not.toThrow();
      // Classes such as \d and \w take other characters elsewhere, and groups that begin with ? differ.
      expect(pattern).toMatch(/^\^(?:[^\\?(]|\\x[0-9a-f]{2}|\((?!\?)|\)\?)*\$$/);
    }
  });

  it("the OpenAPI document has no formats but those of the OpenAPI registry", () => {
    expect(valuesOf("format").sort()).toEqual(["int32", "int64", "uuid"]);
  });

  it("the OpenAPI document has no choice of schemas without a type, and none beside a type", () => {
    const choices = nodes.filter(([, node]) => "anyOf" in node || "oneOf" in node);
    const isTyped = (one: Node): boolean => "type" in one || "$ref" in one;
    const untyped = choices.filter(
      ([, { type, anyOf, oneOf }]) => type !== undefined || !((anyOf ?? oneOf) as Node[]).every(isTyped),
    );
    expect(untyped.map(([at]) => at)).toEqual([]);
  });

  it("the OpenAPI document names the server that answered with it, and no other", () => {
    expect(document).toMatchObject({ servers: [{ url: "/" }] });
  });

  it("the OpenAPI document says how wide each integer is, and what each field is", () => {
    const integers = nodes.filter(([, { type, format }]) => type === "integer" && format === undefined);
    expect(integers.map(([at]) => at)).toEqual([]);
    const fields = nodes.flatMap(([at, { properties }]) =>
      Object.entries((properties ?? {}) as Record<string, Node>).map(
        ([name, field]) => [`${at}/${name}`, field] as const,
      ),
    );
    const unexplained = fields.filter(([, field]) => !("description" in field) && !("$ref" in field));
    expect(unexplained.map(([at]) => at)).toEqual([]);
    const parameters = operations.flatMap((one) => one.parameters.filter((parameter) => !("$ref" in parameter)));
    expect(parameters.filter((parameter) => !("description" in parameter))).toEqual([]);
  });

  it("the OpenAPI document has query parameters of the kind that they are", () => {
    const limits = operations.flatMap(({ parameters }) =>
      parameters.filter((one) => "name" in one && one.name === "limit"),
    );
    expect(limits.map((one) => "schema" in one && one.schema)).toEqual([
      { type: "integer", format: "int32", minimum: 1, maximum: 1000, default: 100 },
      { type: "integer", format: "int32", minimum: 1, maximum: 1000, default: 100 },
      { type: "integer", format: "int32", minimum: 1, maximum: 1000, default: 1000 },
    ]);
  });
});
