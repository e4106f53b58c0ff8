// The corpus in test/vectors/policy, through the judge as the control plane loads it. The specs of assembly/ run the
// JSON part of it natively, so filter and control plane are held to the same verdicts.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { judgePolicyJson, judgeSettingsJson, kindOfJson } from "../../src/domain/policy/validator.js";
import type { DocumentKind, Fault, PlacedFault } from "../../src/domain/policy/policy.js";
import { readDocument, readPolicyDocument, readSettingsDocument } from "../../src/domain/policy/read-policy.js";

interface Accepted {
  readonly name: string;
  readonly kind: DocumentKind;
  readonly document: string;
  readonly canonical: string;
}

interface Refused {
  readonly name: string;
  readonly kind: DocumentKind;
  readonly document: string;
  readonly faults: readonly (readonly [path: string, message: string])[];
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
  readonly faults?: readonly PlacedFault[];
}

function casesOf(file: string): unknown {
  const url = new URL(`../../../test/vectors/policy/${file}.json`, import.meta.url);
  return (JSON.parse(readFileSync(url, "utf8")) as { cases: unknown }).cases;
}

const accepted = casesOf("accepted") as readonly Accepted[];
const refused = casesOf("refused") as readonly Refused[];
const released = casesOf("released-1") as readonly Accepted[];
const readerCases = casesOf("json-reader") as readonly ReaderCase[];
const yamlCases = casesOf("yaml") as readonly YamlCase[];

/** The canonical JSON, or the faults. */
function verdictOf(kind: DocumentKind, document: string): string | readonly Fault[] {
  if (kind === "policy") {
    const verdict = judgePolicyJson(document);
    return "faults" in verdict ? verdict.faults : verdict.policyJson;
  }
  const verdict = judgeSettingsJson(document);
  return "faults" in verdict ? verdict.faults : verdict.settingsJson;
}

describe("a document in JSON is a policy or edge settings", () => {
  test.each(accepted)("$name", ({ kind, document, canonical }) => {
    expect(verdictOf(kind, document)).toBe(canonical);
    expect(verdictOf(kind, canonical)).toBe(canonical);
    expect(kindOfJson(document)).toBe(kind);
  });
});

describe("a document in JSON is refused with every fault", () => {
  test.each(refused)("$name", ({ kind, document, faults }) => {
    expect(verdictOf(kind, document)).toEqual(faults.map(([path, message]) => ({ path, message })));
  });
});

describe("what a released version 1 took is taken by every later one, and means the same", () => {
  test.each(released)("$name", ({ kind, document, canonical }) => {
    const verdict = verdictOf(kind, document);
    if (typeof verdict !== "string") throw new Error(JSON.stringify(verdict));
    expect(JSON.parse(verdict)).toMatchObject(JSON.parse(canonical) as object);
  });
});

describe("JSON is read strictly", () => {
  test.each(readerCases)("$name", ({ json, error }) => {
    const verdict = judgePolicyJson(json);
    const notJson = "faults" in verdict ? verdict.faults.filter(({ message }) => message.startsWith("not JSON: ")) : [];
    expect(notJson).toEqual(error === "" ? [] : [{ path: "", message: `not JSON: ${error}` }]);
  });

  // JavaScript takes halves of surrogate pairs and any depth.
  const alike = readerCases.filter(({ name }) => !/^i_|_high_|_low_|_half$|_nested_/.test(name));
  test.each(alike)("$name, as JavaScript does", ({ name, json }) => {
    expect(readsAsJson(json)).toBe(name.startsWith("y_"));
  });
});

describe("a file in YAML", () => {
  test.each(yamlCases)("$name", ({ kind, yaml, canonical, faults }) => {
    const verdict = kind === "policy" ? readPolicyDocument(yaml) : readSettingsDocument(yaml);
    if ("faults" in verdict) expect(verdict).toEqual({ faults });
    else expect("settings" in verdict ? verdict.settingsJson : verdict.policyJson).toBe(canonical);
  });

  test.each(yamlCases.filter(({ canonical }) => canonical !== undefined))(
    "$name, and is known for what it is",
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
