// Whatever the validator is given, it answers violations or a document, and what it printed is that same document again.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_VIOLATIONS } from "../../../assembly/contract.js";
import { validatePolicyJson, validateSettingsJson } from "../../src/domain/policy/validator.js";
import type { Violation } from "../../src/domain/policy/policy.js";
import { readDocument, readPolicyDocument, readSettingsDocument } from "../../src/domain/policy/read-policy.js";
import { anyUnits, edgeSettings, mutations, pathsIn, policies, replaced } from "../support/documents.js";

const SAMPLE_YAML = readFileSync(new URL("../../../policy.yaml", import.meta.url), "utf8");
const POLICY_JSON = policyJsonOf(readPolicyDocument(SAMPLE_YAML));
/** With each way to say what a limit is, what a route takes from it, and how it settles. */
const LIMITED_JSON = JSON.stringify({
  version: 1,
  plans: [
    {
      ...{ id: 0, name: "default", maxTokens: 100, refill: "10/5m", lifetime: "1h30m", onUnreachable: "deny" },
      limits: [
        { name: "daily", maxTokens: 5, refill: "1/1000d" },
        { name: "llm", maxTokens: 9, tokenRefillRate: 1, applies: "routes" },
      ],
    },
  ],
  routes: [
    { match: { path: "/a" }, cost: 5, limits: { llm: 9, daily: null }, settle: { limit: "llm", json: "/a~1b/0" } },
    { match: { path: "/b" }, settle: { metadata: ["a", "b"], times: 0.25, onMissing: "refund" } },
  ],
  response: { limits: "all" },
});
const SETTINGS_JSON = settingsJsonOf(validateSettingsJson(`{"version":1,"policy":${POLICY_JSON}}`));
const SETTINGS_YAML = `version: 1\ntable: { name: a }\npolicy:\n${SAMPLE_YAML.replace(/^/gm, "  ")}`;

type PolicyResult = ReturnType<typeof validatePolicyJson>;
type SettingsResult = ReturnType<typeof validateSettingsJson>;

function policyJsonOf(result: PolicyResult): string {
  if ("violations" in result) throw new Error(JSON.stringify(result.violations));
  return result.policyJson;
}

function settingsJsonOf(result: SettingsResult): string {
  if ("violations" in result) throw new Error(JSON.stringify(result.violations));
  return result.settingsJson;
}

function expectViolations(violations: readonly Violation[]): void {
  expect(violations.length).toBeGreaterThan(0);
  expect(violations.length).toBeLessThanOrEqual(MAX_VIOLATIONS);
  for (const { message } of violations) expect(message).not.toBe("");
}

function expectPolicyResult(result: PolicyResult): void {
  if ("violations" in result) expectViolations(result.violations);
  else expect(validatePolicyJson(result.policyJson)).toEqual(result);
}

function expectSettingsResult(result: SettingsResult): void {
  if ("violations" in result) expectViolations(result.violations);
  else expect(validateSettingsJson(result.settingsJson)).toEqual(result);
}

/** Of a text as either kind of document. */
function expectResults(json: string): void {
  expectPolicyResult(validatePolicyJson(json));
  expectSettingsResult(validateSettingsJson(json));
}

describe("the validator never fails", () => {
  test("the validator answers on any characters", () => {
    fc.assert(fc.property(fc.oneof(anyUnits, fc.string(), fc.json()), expectResults), { numRuns: 500 });
  });

  test("the validator answers on a good document that was changed in a few places", () => {
    fc.assert(fc.property(fc.oneof(...[POLICY_JSON, LIMITED_JSON, SETTINGS_JSON].map(mutations)), expectResults), {
      numRuns: 2000,
    });
  });

  test.each([
    ["a good policy", POLICY_JSON],
    ["a good policy of several limits", LIMITED_JSON],
    ["good edge settings", SETTINGS_JSON],
  ])("the validator answers on %s with any value in any field", (_, json) => {
    const document: unknown = JSON.parse(json);
    fc.assert(
      fc.property(fc.constantFrom(...pathsIn(document)), fc.jsonValue(), (path, value) => {
        expectResults(JSON.stringify(replaced(document, path, value)));
      }),
      { numRuns: 500 },
    );
  });

  test("the validator answers on any YAML", () => {
    const texts = fc.oneof(
      mutations(SAMPLE_YAML),
      mutations(SETTINGS_YAML),
      mutations(POLICY_JSON),
      anyUnits,
      fc.string(),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expectPolicyResult(readPolicyDocument(text));
        expectSettingsResult(readSettingsDocument(text));
        const result = readDocument(text);
        if (!("violations" in result)) return;
        const lines = text.split(/\r\n|\n|\r/).length;
        for (const { line, column } of result.violations) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines);
          expect(column).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("a policy within the ranges", () => {
  test("a policy within the ranges is accepted, keeps its values, and is the same again", () => {
    fc.assert(
      fc.property(policies, (document) => {
        const result = validatePolicyJson(JSON.stringify(document));
        if ("violations" in result) throw new Error(JSON.stringify(result.violations));
        expect(result.policy).toMatchObject(document);
        expectPolicyResult(result);
      }),
      { numRuns: 300 },
    );
  });

  test("a policy within the ranges is accepted as YAML too, and means the same", () => {
    fc.assert(
      fc.property(policies, fc.constantFrom(undefined, 2, "\t"), (document, indent) => {
        const result = readDocument(JSON.stringify(document, null, indent));
        expect(result).toEqual({ kind: "policy", ...validatePolicyJson(JSON.stringify(document)) });
      }),
      { numRuns: 200 },
    );
  });
});

describe("edge settings within the ranges", () => {
  test("edge settings within the ranges are accepted, keep their values, and are the same again", () => {
    fc.assert(
      fc.property(edgeSettings, (document) => {
        const result = validateSettingsJson(JSON.stringify(document));
        if ("violations" in result) throw new Error(JSON.stringify(result.violations));
        expect(result.settings).toMatchObject(document);
        expectSettingsResult(result);
      }),
      { numRuns: 300 },
    );
  });

  test("edge settings within the ranges are accepted as YAML too, and mean the same", () => {
    fc.assert(
      fc.property(edgeSettings, fc.constantFrom(undefined, 2, "\t"), (document, indent) => {
        const result = readDocument(JSON.stringify(document, null, indent));
        expect(result).toEqual({ kind: "settings", ...validateSettingsJson(JSON.stringify(document)) });
      }),
      { numRuns: 200 },
    );
  });
});

/** A violation of a policy as it is said of the same policy within edge settings: its own path, and those that it names. */
const withinSettings = ({ path, message }: Violation): Violation => ({
  path: path.startsWith("[") ? `policy${path}` : `policy.${path}`.replace(/\.$/, ""),
  message: message
    .replace(/(?<=^expected a (?:value that no other plan|name that no other limit of the plan) has \()/, "policy.")
    .replace(/(?<=^expected at least \d+ times )/, "policy."),
});

test("a policy within edge settings is validated exactly as it is alone", () => {
  const changed = fc.oneof(...[POLICY_JSON, LIMITED_JSON].map(changedInPlaces));
  const strange = fc.tuple(changed, fc.dictionary(fc.string(), fc.jsonValue())).map(([tree, more]) => ({
    ...(tree as object),
    ...more,
  }));
  fc.assert(
    fc.property(fc.oneof(changed, strange, policies), (document) => {
      const json = JSON.stringify(document);
      const alone = validatePolicyJson(json);
      const within = validateSettingsJson(`{"version":1,"policy":${json}}`);
      if ("violations" in alone) {
        expect(within).toEqual({ violations: alone.violations.map(withinSettings) });
      } else {
        expect(within).toMatchObject({ policyJson: alone.policyJson, settings: { policy: alone.policy } });
      }
    }),
    { numRuns: 1000 },
  );
});

function changedInPlaces(json: string): fc.Arbitrary<unknown> {
  const sample: unknown = JSON.parse(json);
  const change = fc.tuple(fc.constantFrom(...pathsIn(sample)), fc.oneof(fc.jsonValue(), fc.nat(3), fc.constant("llm")));
  return fc
    .array(change, { maxLength: 4 })
    .map((changes) => changes.reduce<unknown>((tree, [path, value]) => replacedWhereThere(tree, path, value), sample));
}

/** Earlier changes may have taken the path away. */
function replacedWhereThere(tree: unknown, path: string[], value: unknown): unknown {
  const isThere = pathsIn(tree).some((one) => one.join("\n") === path.join("\n"));
  return isThere ? replaced(tree, path, value) : tree;
}
