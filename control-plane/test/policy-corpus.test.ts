// The corpus in test/vectors/policy, through the judge as the control plane loads it. The specs of assembly/ run the
// JSON part of it natively, so filter and control plane are held to the same verdicts.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { judgePolicyJson } from "../src/domain/policy/judge.js";
import type { PlacedFault } from "../src/domain/policy/policy.js";
import { readPolicyDocument } from "../src/domain/policy/read-policy.js";

interface Accepted {
  readonly name: string;
  readonly pushed: boolean;
  readonly document: string;
  readonly canonical: string;
}

interface Refused {
  readonly name: string;
  readonly pushed: boolean;
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
  readonly yaml: string;
  readonly canonical?: string;
  readonly faults?: readonly PlacedFault[];
}

function casesOf(file: string): unknown {
  const url = new URL(`../../test/vectors/policy/${file}.json`, import.meta.url);
  return (JSON.parse(readFileSync(url, "utf8")) as { cases: unknown }).cases;
}

const accepted = (casesOf("accepted") as readonly Accepted[]).filter(({ pushed }) => !pushed);
const refused = (casesOf("refused") as readonly Refused[]).filter(({ pushed }) => !pushed);
const readerCases = casesOf("json-reader") as readonly ReaderCase[];
const yamlCases = casesOf("yaml") as readonly YamlCase[];

describe("a document in JSON is a policy", () => {
  test.each(accepted)("$name", ({ document, canonical }) => {
    const verdict = judgePolicyJson(document);
    expect(verdict).toEqual({ policy: JSON.parse(canonical) as unknown, policyJson: canonical });
    expect(judgePolicyJson(canonical)).toEqual(verdict);
  });
});

describe("a document in JSON is refused with every fault", () => {
  test.each(refused)("$name", ({ document, faults }) => {
    expect(judgePolicyJson(document)).toEqual({ faults: faults.map(([path, message]) => ({ path, message })) });
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
  test.each(yamlCases)("$name", ({ yaml, canonical, faults }) => {
    const verdict = readPolicyDocument(yaml);
    if (canonical === undefined) expect(verdict).toEqual({ faults });
    else expect(verdict).toEqual({ policy: JSON.parse(canonical) as unknown, policyJson: canonical });
  });
});

function readsAsJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
