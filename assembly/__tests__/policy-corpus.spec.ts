import { JsonWriter } from "../domain/json/writer";
import { Fault } from "../domain/policy/violations";
import { judgePolicy } from "../domain/policy/validator";
import { printPolicy, printSettings } from "../domain/policy/print";
import { judgeSettings } from "../domain/policy/settings";
import { vectorRows } from "./vectors";

/** The document's canonical JSON, or its faults as the corpus writes them. */
function verdictOf(kind: string, document: string): string {
  if (kind == "settings") {
    const verdict = judgeSettings(document);
    const settings = verdict.settings;
    return settings !== null ? printSettings(settings) : printFaults(verdict.faults);
  }
  const verdict = judgePolicy(document);
  const policy = verdict.policy;
  return policy !== null ? printPolicy(policy) : printFaults(verdict.faults);
}

function printFaults(faults: Fault[]): string {
  const json = new JsonWriter();
  json.beginArray();
  for (let i = 0; i < faults.length; i++) {
    json.beginArray().string(faults[i].path).string(faults[i].message).endArray();
  }
  return json.endArray().toString();
}

describe("the corpus of policies and edge settings, judged by the filter's code", () => {
  test("a good document is accepted, with its defaults filled in", () => {
    const rows = vectorRows("policy/accepted.json", "cases", "name,kind,document,canonical");
    expect(rows.length).toBeGreaterThan(50);
    for (let i = 0; i < rows.length; i++) {
      expect(verdictOf(rows[i][1], rows[i][2])).toBe(rows[i][3], rows[i][0]);
    }
  });

  test("anything else is refused, with exactly its faults", () => {
    const rows = vectorRows("policy/refused.json", "cases", "name,kind,document,faults");
    expect(rows.length).toBeGreaterThan(160);
    for (let i = 0; i < rows.length; i++) {
      expect(verdictOf(rows[i][1], rows[i][2])).toBe(rows[i][3], rows[i][0]);
    }
  });

  test("whatever a released version took is taken", () => {
    const rows = vectorRows("policy/released-1.json", "cases", "name,kind,document");
    expect(rows.length).toBeGreaterThan(50);
    for (let i = 0; i < rows.length; i++) {
      expect(verdictOf(rows[i][1], rows[i][2]).startsWith('{"version":1,')).toBe(true, rows[i][0]);
    }
  });
});
