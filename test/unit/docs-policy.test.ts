// docs/policy.md says of every field what the judge does: defaults, ranges, words.
import { describe, expect, it } from "vitest";
import { judgePolicyJson } from "../../control-plane/src/domain/policy/judge.js";
import { tableUnder, withoutTicks } from "./docs.js";

interface Row {
  readonly path: string;
  readonly range: string;
  readonly byDefault: string;
}

type Json = Readonly<Record<string, unknown>>;

const rows = tableUnder("docs/policy.md", "Fields").map(([field = "", , range = "", byDefault = ""]): Row => ({
  path: withoutTicks(field),
  range,
  byDefault: withoutTicks(byDefault),
}));
/** Of a document about other fields than a plan's: idle for long, so that every reportInterval will do. */
const PATIENT = { maxAge: 315360000000 };
const LEAST = { version: 1, plans: [{ id: 0, name: "a", maxTokens: 1, tokenRefillRate: 0 }] };

/** `{"table":{"name":…}}` as `table.name`; of a list of objects the first, as `plans[].id`. */
function fieldsOf(node: Json, prefix = ""): [path: string, value: unknown][] {
  return Object.entries(node).flatMap(([name, value]): [string, unknown][] => {
    const path = prefix + name;
    const first: unknown = Array.isArray(value) ? value[0] : undefined;
    if (isObject(first)) return [[path, value], ...fieldsOf(first, `${path}[].`)];
    return isObject(value) ? fieldsOf(value, `${path}.`) : [[path, value]];
  });
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The least document, with the field at `path` replaced, or left out where the value is undefined. */
function documentWith(path: string, value: unknown): string {
  const inPlan = /^plans\[\]\.(.+)$/.exec(path)?.[1];
  if (inPlan !== undefined) return JSON.stringify({ ...LEAST, plans: [{ ...LEAST.plans[0], [inPlan]: value }] });
  const [section = "", name] = path.split(".");
  const plans = [{ ...LEAST.plans[0], ...PATIENT }];
  return JSON.stringify({ ...LEAST, plans, [section]: name === undefined ? value : { [name]: value } });
}

function faultsWith(path: string, value: unknown): string[] {
  const verdict = judgePolicyJson(documentWith(path, value));
  return "faults" in verdict ? verdict.faults.map(({ message }) => message) : [];
}

describe("the table of the policy's fields", () => {
  const verdict = judgePolicyJson(JSON.stringify(LEAST));
  const fields = fieldsOf("policy" in verdict ? { ...verdict.policy } : {});

  it("has exactly the fields of a judged policy, in its order", () => {
    expect(rows.map(({ path }) => path)).toEqual(fields.map(([path]) => path));
  });

  it.each(rows)("says what $path is when it is left out", ({ path, byDefault }) => {
    if (byDefault === "required") expect(faultsWith(path, undefined).join()).toContain("missing");
    else expect(JSON.parse(byDefault)).toEqual(new Map(fields).get(path));
  });

  const numeric = rows.filter(({ path, range }) => /^\d+( to \d+)?(,|$)/.test(range) && path !== "plans");
  it.each(numeric)("says from where to where $path goes: $range", ({ path, range }) => {
    const [min = 0, max = min] = [...range.matchAll(/^\d+|(?<= to )\d+/g)].map(([digits]) => Number(digits));
    expect([faultsWith(path, min), faultsWith(path, max)]).toEqual([[], []]);
    for (const outside of [min - 1, max + 1]) expect(faultsWith(path, outside).join()).toContain("expected");
  });

  const words = rows.filter(({ range }) => /^`[a-z]/.test(range) && !range.startsWith("`null`"));
  it.each(words)("names the words of $path, and which are not available yet", ({ path, range }) => {
    for (const word of range.split(", ")) {
      const answer = faultsWith(path, withoutTicks(word.replace(" (not yet)", ""))).join();
      if (word.includes("not yet")) expect(answer).toContain("is not available yet");
      else expect(answer).toBe("");
    }
    const named = range.split(", ").filter((word) => !word.includes("not yet"));
    const offered = named.map((word) => `"${withoutTicks(word)}"`).join(", ");
    expect(faultsWith(path, "nonsense").join().replace(" or ", ", ")).toContain(`expected ${offered}, got`);
  });

  it.each(rows.filter(({ range }) => range.endsWith("not yet)") && !words.some((one) => one.range === range)))(
    "says that $path takes nothing else yet",
    ({ path, byDefault }) => {
      const more = byDefault === "[]" ? [{}] : 1;
      expect(faultsWith(path, more).join()).toContain("is not available yet");
    },
  );

  it("tests every kind of row", () => {
    expect(numeric.length).toBeGreaterThanOrEqual(10);
    expect(words.length).toBeGreaterThanOrEqual(9);
  });
});
