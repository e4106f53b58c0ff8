// Policies and edge settings of the corpus get the results that are listed there.
import { JsonWriter } from "../domain/json/writer";
import { Violation } from "../domain/policy/violations";
import { validatePolicy } from "../domain/policy/validator";
import { printPolicy, printSettings } from "../domain/policy/print";
import { validateSettings } from "../domain/policy/settings";
import { vectorRows } from "./vectors";

/** The document's canonical JSON, or its violations as the corpus writes them. */
function resultOf(kind: string, document: string): string {
  if (kind == "settings") {
    const result = validateSettings(document);
    const settings = result.settings;
    return settings !== null ? printSettings(settings) : printViolations(result.violations);
  }
  const result = validatePolicy(document);
  const policy = result.policy;
  return policy !== null ? printPolicy(policy) : printViolations(result.violations);
}

function printViolations(violations: Violation[]): string {
  const json = new JsonWriter();
  json.beginArray();
  for (let i = 0; i < violations.length; i++) {
    json.beginArray().string(violations[i].path).string(violations[i].message).endArray();
  }
  return json.endArray().toString();
}

describe("the corpus of policies and edge settings, decided by the filter's code", () => {
  test("a valid document is accepted, with its defaults filled in", () => {
    const rows = vectorRows("policy/accepted.json", "cases", "name,kind,document,canonical");
    expect(rows.length).toBeGreaterThan(50);
    for (let i = 0; i < rows.length; i++) {
      expect(resultOf(rows[i][1], rows[i][2])).toBe(rows[i][3], rows[i][0]);
    }
  });

  test("an invalid document is rejected with exactly its violations", () => {
    const rows = vectorRows("policy/rejected.json", "cases", "name,kind,document,violations");
    expect(rows.length).toBeGreaterThan(160);
    for (let i = 0; i < rows.length; i++) {
      expect(resultOf(rows[i][1], rows[i][2])).toBe(rows[i][3], rows[i][0]);
    }
  });

  test("a document that a released version accepted is still accepted", () => {
    const rows = vectorRows("policy/released-1.json", "cases", "name,kind,document");
    expect(rows.length).toBeGreaterThan(50);
    for (let i = 0; i < rows.length; i++) {
      expect(resultOf(rows[i][1], rows[i][2]).startsWith('{"version":1,')).toBe(true, rows[i][0]);
    }
  });
});
