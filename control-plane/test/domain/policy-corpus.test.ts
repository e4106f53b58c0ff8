// The corpus in test/vectors/policy, through the validator as the control plane loads it. The specs of assembly/ run the
// JSON part of it natively, so filter and control plane are held to the same results.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { validatePolicyJson, validateSettingsJson, kindOfJson } from "../../src/domain/policy/validator.js";
import type { DocumentKind, Violation, LocatedViolation } from "../../src/domain/policy/policy.js";
import { readDocument, readPolicyDocument, readSettingsDocument } from "../../src/domain/policy/read-policy.js";

interface Accepted {
  readonly name: string;
  readonly kind: DocumentKind;
  readonly document: string;
  readonly canonical: string;
}

interface Rejected {
  readonly name: string;
  readonly kind: DocumentKind;
  readonly document: string;
  readonly violations: readonly (readonly [path: string, message: string])[];
}

interface ReaderCase {
  readonly name: string;
  readonly json: string;
  readonly error: string;
}

interface YamlCase {
  readonly name: string;
  readonly kind: DocumentKind;
  readonly yaml: string;
  readonly canonical?: string;
  readonly violations?: readonly LocatedViolation[];
}

function casesOf(file: string): unknown {
  const url = new URL(`../../../test/vectors/policy/${file}.json`, import.meta.url);
  return (JSON.parse(readFileSync(url, "utf8")) as { cases: unknown }).cases;
}

const accepted = casesOf("accepted") as readonly Accepted[];
const rejected = casesOf("rejected") as readonly Rejected[];
const released = casesOf("released-1") as readonly Accepted[];
const readerCases = casesOf("json-reader") as readonly ReaderCase[];
const yamlCases = casesOf("yaml") as readonly YamlCase[];

/** The canonical JSON, or the violations. */
function resultOf(kind: DocumentKind, document: string): string | readonly Violation[] {
  if (kind === "policy") {
    const result = validatePolicyJson(document);
    return "violations" in result ? result.violations : result.policyJson;
  }
  const result = validateSettingsJson(document);
  return "violations" in result ? result.violations : result.settingsJson;
}

describe("JSON documents that are accepted", () => {
  test.each(accepted)("the validator accepts: $name", ({ kind, document, canonical }) => {
    expect(resultOf(kind, document)).toBe(canonical);
    expect(resultOf(kind, canonical)).toBe(canonical);
    expect(kindOfJson(document)).toBe(kind);
  });
});

describe("JSON documents that are rejected", () => {
  test.each(rejected)("the validator rejects with every violation: $name", ({ kind, document, violations }) => {
    expect(resultOf(kind, document)).toEqual(violations.map(([path, message]) => ({ path, message })));
  });
});

describe("documents that a released version 1 accepted", () => {
  test.each(released)("the released document means the same: $name", ({ kind, document, canonical }) => {
    const result = resultOf(kind, document);
    if (typeof result !== "string") throw new Error(JSON.stringify(result));
    expect(JSON.parse(result)).toMatchObject(JSON.parse(canonical) as object);
  });
});

describe("the JSON reader", () => {
  test.each(readerCases)("the JSON reader is strict: $name", ({ json, error }) => {
    const result = validatePolicyJson(json);
    const notJson =
      "violations" in result ? result.violations.filter(({ message }) => message.startsWith("not JSON: ")) : [];
    expect(notJson).toEqual(error === "" ? [] : [{ path: "", message: `not JSON: ${error}` }]);
  });

  // JavaScript takes halves of surrogate pairs and any depth.
  const alike = readerCases.filter(({ name }) => !/^i_|_high_|_low_|_half$|_nested_/.test(name));
  test.each(alike)("the JSON reader agrees with JavaScript: $name", ({ name, json }) => {
    expect(readsAsJson(json)).toBe(name.startsWith("y_"));
  });
});

describe("a file in YAML", () => {
  test.each(["routes", "limits", "token", "settle", "enforcement"])(
    "the corpus has the line and column of violations of %s",
    (field) => {
      const paths = yamlCases.flatMap(({ violations = [] }) => violations.map(({ path }) => path));
      expect(paths.filter((path) => new RegExp(`\\b${field}\\b`).test(path)).length).toBeGreaterThan(1);
      expect(accepted.length + rejected.length + yamlCases.length).toBeGreaterThan(250);
    },
  );

  test.each(yamlCases)(
    "the YAML reader gives a document or its violations: $name",
    ({ kind, yaml, canonical, violations }) => {
      const result = kind === "policy" ? readPolicyDocument(yaml) : readSettingsDocument(yaml);
      if ("violations" in result) expect(result).toEqual({ violations });
      else expect("settings" in result ? result.settingsJson : result.policyJson).toBe(canonical);
    },
  );

  test.each(yamlCases.filter(({ canonical }) => canonical !== undefined))(
    "the kind of a YAML document is known: $name",
    ({ kind, yaml }) => {
      expect(readDocument(yaml)).toEqual({
        kind,
        ...(kind === "policy" ? readPolicyDocument(yaml) : readSettingsDocument(yaml)),
      });
    },
  );
});

function readsAsJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
