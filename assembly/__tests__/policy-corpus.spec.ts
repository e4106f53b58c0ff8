import { JsonWriter } from "../domain/json/writer";
import { judgePolicy } from "../domain/policy/judge";
import { printPolicy } from "../domain/policy/print";
import { vectorRows } from "./vectors";

/** The policy's canonical JSON, or its faults as the corpus writes them. */
function verdictOf(document: string, pushed: bool): string {
  const verdict = judgePolicy(document, pushed);
  const policy = verdict.policy;
  if (policy !== null) return printPolicy(policy);
  const json = new JsonWriter();
  json.beginArray();
  for (let i = 0; i < verdict.faults.length; i++) {
    json.beginArray().string(verdict.faults[i].path).string(verdict.faults[i].message).endArray();
  }
  return json.endArray().toString();
}

describe("the corpus of policies, judged by the filter's code", () => {
  test("a policy is accepted, with its defaults filled in", () => {
    const rows = vectorRows("policy/accepted.json", "cases", "name,pushed,document,canonical");
    expect(rows.length).toBeGreaterThan(40);
    for (let i = 0; i < rows.length; i++) {
      expect(verdictOf(rows[i][2], rows[i][1] == "true")).toBe(rows[i][3], rows[i][0]);
    }
  });

  test("anything else is refused, with exactly its faults", () => {
    const rows = vectorRows("policy/refused.json", "cases", "name,pushed,document,faults");
    expect(rows.length).toBeGreaterThan(160);
    for (let i = 0; i < rows.length; i++) {
      expect(verdictOf(rows[i][2], rows[i][1] == "true")).toBe(rows[i][3], rows[i][0]);
    }
  });
});
