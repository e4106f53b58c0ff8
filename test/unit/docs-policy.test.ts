// docs/policy.md says of every field of policies and edge settings what the validator does: defaults, ranges, words.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readPolicyDocument } from "../../control-plane/src/domain/policy/read-policy.js";
import { validatePolicyJson, validateSettingsJson } from "../../control-plane/src/domain/policy/validator.js";
import { tableUnder, withoutTicks } from "./docs.js";

interface Row {
  readonly path: string;
  readonly range: string;
  readonly byDefault: string;
}

type Json = Readonly<Record<string, unknown>>;
type PolicyResult = { readonly accepted: object } | { readonly violations: readonly { readonly message: string }[] };

/** A kind of document: where its fields are described, and how it is validated. */
interface Kind {
  readonly title: string;
  /** The least document. */
  readonly least: Json;
  /** Documents that together have every field, each of them once as it is when it is left out: null where it may be. */
  readonly full: readonly Json[];
  /** The least document in which the field at `path` may have any of its values. */
  readonly aboutField: (path: string) => Json;
  readonly validate: (json: string) => PolicyResult;
}

const PLAN = { id: 0, name: "a", maxTokens: 1, tokenRefillRate: 0 };
const PLANS = "plans: [{ id: 0, name: default, maxTokens: 100, tokenRefillRate: 10 }]\n";
const POLICY = { version: 1, plans: [PLAN] };
const LIMIT = { name: "b", maxTokens: 1, tokenRefillRate: 0 };
const LIMITED = { ...POLICY, plans: [{ ...PLAN, limits: [LIMIT] }] };
const ROUTE = { match: { path: "/" } };
/** Its sessions may be idle for long, so that every reportInterval will do. */
const PATIENT = { version: 1, plans: [{ ...PLAN, maxAge: 315360000000 }] };

const KINDS: readonly Kind[] = [
  {
    title: "Fields",
    least: POLICY,
    full: [
      { ...LIMITED, routes: [{ match: { path: "/" }, settle: { header: "x-cost" } }] },
      { ...LIMITED, routes: [{ match: { methods: ["GET"] }, settle: { json: "/a" } }] },
    ],
    aboutField: (path) => (path.startsWith("plans[].") ? POLICY : PATIENT),
    validate: (json) => {
      const result = validatePolicyJson(json);
      return "violations" in result ? result : { accepted: result.policy };
    },
  },
  {
    title: "Edge settings",
    least: { version: 1 },
    full: [],
    // Without a policy there is no `follow: false`.
    aboutField: (path) => (path === "follow" ? { version: 1, policy: POLICY } : { version: 1 }),
    validate: (json) => {
      const result = validateSettingsJson(json);
      return "violations" in result ? result : { accepted: result.settings };
    },
  },
];

/** `{"table":{"name":…}}` as `table.name`; of a list of objects the first, as `plans[].id`. */
function fieldsOf(node: object, prefix = ""): [path: string, value: unknown][] {
  return Object.entries(node).flatMap(([name, value]): [string, unknown][] => {
    const path = prefix + name;
    const first: unknown = Array.isArray(value) ? value[0] : undefined;
    if (isObject(first)) return [[path, value], ...fieldsOf(first, `${path}[].`)];
    return isObject(value) && Object.keys(value).length > 0 ? fieldsOf(value, `${path}.`) : [[path, value]];
  });
}

/** Of every field what it is when it is left out, in the document's order. */
function defaultsOf({ least, full, validate }: Kind): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  for (const document of [...full, least]) {
    const result = validate(JSON.stringify(document));
    for (const [path, value] of fieldsOf("accepted" in result ? result.accepted : {})) {
      if (!fields.has(path) || value === null || document === least) fields.set(path, value);
    }
  }
  return fields;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The field at `path` replaced, or left out where the value is undefined. */
function documentWith(kind: Kind, path: string, value: unknown): string {
  const document = kind.aboutField(path);
  const inLimit = /^plans\[\]\.limits\[\]\.(.+)$/.exec(path)?.[1];
  if (inLimit !== undefined) {
    return JSON.stringify({ ...document, plans: [{ ...PLAN, limits: [{ ...LIMIT, [inLimit]: value }] }] });
  }
  const inSettle = /^routes\[\]\.settle\.(.+)$/.exec(path)?.[1];
  if (inSettle !== undefined) {
    return JSON.stringify({ ...document, routes: [{ ...ROUTE, settle: { header: "x-cost", [inSettle]: value } }] });
  }
  const inPlan = /^plans\[\]\.(.+)$/.exec(path)?.[1];
  if (inPlan !== undefined) return JSON.stringify({ ...document, plans: [{ ...PLAN, [inPlan]: value }] });
  const place = /^token\.from\[\]\.(.+)$/.exec(path)?.[1];
  if (place !== undefined) return JSON.stringify({ ...document, token: { from: [{ [place]: value }] } });
  const [, inMatch, ofRoute] = /^routes\[\]\.(?:match\.(.+)|(.+))$/.exec(path) ?? [];
  if (inMatch !== undefined) return JSON.stringify({ ...document, routes: [{ match: { [inMatch]: value } }] });
  if (ofRoute !== undefined) return JSON.stringify({ ...document, routes: [{ ...ROUTE, [ofRoute]: value }] });
  const [section = "", name] = path.split(".");
  return JSON.stringify({ ...document, [section]: name === undefined ? value : { [name]: value } });
}

it("the worked examples of docs/policy.md are policies", () => {
  const page = readFileSync(new URL("../../docs/policy.md", import.meta.url), "utf8");
  const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = ""]) => text);
  const policies = examples.map((text) => (text.startsWith("version:") ? text : `version: 1\n${PLANS}${text}`));
  expect(policies.length).toBeGreaterThan(1);
  for (const text of policies) expect(readPolicyDocument(text)).toHaveProperty("policy");
});

describe.each(KINDS)("the table under $title", (kind) => {
  const rows = tableUnder("docs/policy.md", kind.title).map(([field = "", , range = "", byDefault = ""]): Row => ({
    path: withoutTicks(field),
    range,
    byDefault: withoutTicks(byDefault),
  }));
  const fields = defaultsOf(kind);

  const violationsWith = (path: string, value: unknown): string => {
    const answer = kind.validate(documentWith(kind, path, value));
    return "violations" in answer ? answer.violations.map(({ message }) => message).join() : "";
  };

  it("the table has exactly the fields of a validated document, in its order", () => {
    const printed = rows.filter(({ byDefault }) => byDefault !== "none");
    expect(printed.map(({ path }) => path)).toEqual([...fields.keys()]);
    for (const { path } of rows) expect(violationsWith(path, [[]])).not.toContain("unknown field");
  });

  it.each(rows)("the table says what $path is when it is left out", ({ path, byDefault }) => {
    if (byDefault.startsWith("required")) expect(violationsWith(path, undefined)).toContain("missing");
    else if (byDefault === "none") expect(fields.has(path)).toBe(false);
    else expect(JSON.parse(byDefault)).toEqual(fields.get(path));
  });

  const numeric = rows.filter(({ path, range }) => /^\d+( to \d+)?(,|$)/.test(range) && path !== "plans");
  it.each(numeric)("the table says from where to where $path goes: $range", ({ path, range }) => {
    const [min = 0, max = min] = [...range.matchAll(/^\d+|(?<= to )\d+/g)].map(([digits]) => Number(digits));
    expect([violationsWith(path, min), violationsWith(path, max)]).toEqual(["", ""]);
    for (const outside of [min - 1, max + 1]) expect(violationsWith(path, outside)).toContain("expected");
  });

  const quoted = rows.filter(({ range }) => /^`[a-z]/.test(range) && !range.startsWith("`null`"));
  const booleans = quoted.filter(({ range }) => range === "`true`, `false`");
  const words = quoted.filter((row) => !booleans.includes(row));
  it.each(words)("the table names the words of $path", ({ path, range }) => {
    const listed = range.split(", ").filter((word) => /^`[a-z-]+`/.test(word));
    for (const word of listed) expect(violationsWith(path, withoutTicks(word))).toBe("");
    const offered = listed.map((word) => `"${withoutTicks(word)}"`).join(", ");
    expect(violationsWith(path, "nonsense").replace(" or ", ", ")).toContain(`expected ${offered},`);
  });

  const shadows = rows.filter(({ range }) => range.includes("`{shadow: 0-100}`"));
  it.each(shadows)("the table says that $path may be a shadow of some sessions: $range", ({ path, range }) => {
    for (const percent of [0, 100]) expect(violationsWith(path, { shadow: percent })).toBe("");
    for (const percent of [-1, 101]) expect(violationsWith(path, { shadow: percent })).toContain("from 0 to 100");
    expect(violationsWith(path, null) === "").toBe(range.endsWith("or `null`"));
  });

  it.each(booleans)("the table says that $path is true or false", ({ path }) => {
    expect([violationsWith(path, true), violationsWith(path, false)]).toEqual(["", ""]);
    expect(violationsWith(path, "true")).toContain("expected true or false");
  });

  it("the tests of the table cover every kind of row", () => {
    const least = kind.title === "Fields" ? [10, 9, 0] : [2, 0, 1];
    const tested = [numeric.length, words.length, booleans.length];
    for (const [index, count] of tested.entries()) expect(count).toBeGreaterThanOrEqual(least[index] ?? 0);
  });
});
