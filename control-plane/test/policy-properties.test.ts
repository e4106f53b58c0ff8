// Whatever the judge is given, it answers faults or a policy, and a policy that it printed is that same policy again.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_FAULTS } from "../../assembly/contract.js";
import { judgePolicyJson } from "../src/domain/policy/judge.js";
import { readPolicyDocument } from "../src/domain/policy/read-policy.js";

const SAMPLE_YAML = readFileSync(new URL("../../policy.yaml", import.meta.url), "utf8");
const SAMPLE_JSON = canonicalOf(readPolicyDocument(SAMPLE_YAML));

function canonicalOf(verdict: ReturnType<typeof judgePolicyJson>): string {
  if ("faults" in verdict) throw new Error(JSON.stringify(verdict.faults));
  return verdict.policyJson;
}

function expectVerdict(verdict: ReturnType<typeof judgePolicyJson>): void {
  if ("faults" in verdict) {
    expect(verdict.faults.length).toBeGreaterThan(0);
    expect(verdict.faults.length).toBeLessThanOrEqual(MAX_FAULTS);
    for (const { message } of verdict.faults) expect(message).not.toBe("");
  } else {
    expect(judgePolicyJson(verdict.policyJson)).toEqual(verdict);
  }
}

/** The text with some stretches replaced: by pieces that mean something, by any character, or by nothing. */
function mutations(text: string): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "\\",
      "-",
      ".",
      "0",
      "1",
      "9",
      "e",
      "E",
      " ",
      "\n",
      "\t",
      "#",
      "!",
      "|",
      "@",
    ),
    fc.constantFrom(
      "null",
      "true",
      "1e999",
      "-0",
      '"',
      "\\ud800",
      "\\u0000",
      "- ",
      ": ",
      "? ",
      "---\n",
      "<<: ",
      "&a ",
      "*a",
    ),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.constant(""),
  );
  const change = fc.tuple(fc.nat(text.length), fc.nat(6), piece);
  return fc
    .array(change, { minLength: 1, maxLength: 6 })
    .map((changes) =>
      changes.reduce((changed, [at, length, put]) => changed.slice(0, at) + put + changed.slice(at + length), text),
    );
}

const anyUnits = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

describe("the judge never fails", () => {
  test("on any characters", () => {
    fc.assert(
      fc.property(fc.oneof(anyUnits, fc.string(), fc.json()), (text) => {
        expectVerdict(judgePolicyJson(text));
      }),
      { numRuns: 500 },
    );
  });

  test("on a good policy that was changed in a few places", () => {
    fc.assert(
      fc.property(mutations(SAMPLE_JSON), (text) => {
        expectVerdict(judgePolicyJson(text));
      }),
      { numRuns: 1500 },
    );
  });

  test("on a good policy with any value in any field", () => {
    const document: unknown = JSON.parse(SAMPLE_JSON);
    fc.assert(
      fc.property(fc.constantFrom(...pathsIn(document)), fc.jsonValue(), (path, value) => {
        expectVerdict(judgePolicyJson(JSON.stringify(replaced(document, path, value))));
      }),
      { numRuns: 500 },
    );
  });

  test("on any YAML", () => {
    fc.assert(
      fc.property(fc.oneof(mutations(SAMPLE_YAML), mutations(SAMPLE_JSON), anyUnits, fc.string()), (text) => {
        const verdict = readPolicyDocument(text);
        expectVerdict(verdict);
        if (!("faults" in verdict)) return;
        const lines = text.split(/\r\n|\n|\r/).length;
        for (const { line, column } of verdict.faults) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines);
          expect(column).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** The way to each value in the tree, the root's being empty. */
function pathsIn(value: unknown): string[][] {
  if (typeof value !== "object" || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([key, member]) => pathsIn(member).map((path) => [key, ...path]))];
}

/** A copy with another value at the path. */
function replaced(tree: unknown, [key, ...rest]: string[], value: unknown): unknown {
  if (key === undefined) return value;
  const copy = structuredClone(tree) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, value);
  return copy;
}

const word = (...words: string[]): fc.Arbitrary<string> => fc.constantFrom(...words);
const name = fc.stringMatching(/^[a-z0-9-]{1,32}$/);
const durationMs = fc.integer({ min: 2_400_000, max: 315_360_000_000 });

const planFields = fc.record(
  {
    maxTokens: fc.integer({ min: 1, max: 9_000_000 }),
    // Whole microtokens, as the double nearest to them: that prints with the same six decimals.
    tokenRefillRate: fc.integer({ min: 0, max: 1_000_000_000_000 }).map((micro) => micro / 1_000_000),
    maxAge: durationMs,
    lifetime: durationMs,
    tokenBudget: fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
    maxSessionsPerUser: fc.option(fc.integer({ min: 1, max: 1000 })),
    onMaxSessions: word("refuse", "removeOldest"),
    scope: fc.constant("edge"),
  },
  { requiredKeys: ["maxTokens", "tokenRefillRate", "maxAge"] },
);

const plans = fc
  .tuple(
    fc.uniqueArray(fc.nat(65_535), { minLength: 20, maxLength: 20 }),
    fc.uniqueArray(name, { minLength: 20, maxLength: 20 }),
    fc.array(planFields, { minLength: 1, maxLength: 20 }),
  )
  .map(([ids, names, all]) => all.map((fields, index) => ({ id: ids[index], name: names[index], ...fields })));

const policy = fc.record(
  {
    version: fc.constant(1),
    header: fc.stringMatching(/^x-s[a-z0-9-]{0,30}$/),
    plans,
    routes: fc.constant([]),
    enforcement: word("enforce", "off"),
    onMiss: word("acquire", "trust"),
    onUnreachable: word("trust", "deny"),
    onContention: word("deny", "allow"),
    onTableFull: word("deny", "allow"),
    table: fc.record(
      { name, capacity: fc.integer({ min: 10, max: 22 }).map((power) => 2 ** power) },
      { requiredKeys: [] },
    ),
    controlPlane: fc.record(
      {
        cluster: fc.stringMatching(/^[!-~]{1,256}$/),
        acquireTimeout: fc.integer({ min: 1, max: 60_000 }),
        reportInterval: fc.integer({ min: 100, max: 600_000 }),
      },
      { requiredKeys: [] },
    ),
    sessions: fc.record({ cleanupInterval: fc.integer({ min: 100, max: 86_400_000 }) }, { requiredKeys: [] }),
    response: fc.record(
      { headers: word("draft", "x-ratelimit", "both", "none"), body: word("json", "problem") },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ["version", "plans"] },
);

describe("a policy within the ranges", () => {
  test("is accepted, keeps every value that it sets, and is the same again when judged again", () => {
    fc.assert(
      fc.property(policy, (document) => {
        const verdict = judgePolicyJson(JSON.stringify(document));
        if ("faults" in verdict) throw new Error(JSON.stringify(verdict.faults));
        expect(verdict.policy).toMatchObject(document);
        expectVerdict(verdict);
      }),
      { numRuns: 300 },
    );
  });

  test("is accepted as YAML too, and means the same", () => {
    fc.assert(
      fc.property(policy, fc.constantFrom(undefined, 2, "\t"), (document, indent) => {
        const verdict = readPolicyDocument(JSON.stringify(document, null, indent));
        expect(verdict).toEqual(judgePolicyJson(JSON.stringify(document)));
      }),
      { numRuns: 200 },
    );
  });
});
