// An operator's document on its way to the edges: what hostile input costs, what is pushed, the sample that we ship.
import { readFileSync } from "node:fs";
import { memory } from "#judge";
import { describe, expect, test } from "vitest";
import { MAX_FAULTS, MAX_POLICY_BYTES } from "../../assembly/contract.js";
import { judgePolicyJson, pushedPolicyJson } from "../src/domain/policy/judge.js";
import { readPolicyDocument } from "../src/domain/policy/read-policy.js";

const PLAN = { id: 0, name: "default", maxTokens: 100, tokenRefillRate: 10 };
const LEAST = JSON.stringify({ version: 1, plans: [PLAN] });

function acceptedJson(text: string): string {
  const verdict = readPolicyDocument(text);
  if ("faults" in verdict) throw new Error(JSON.stringify(verdict.faults));
  return verdict.policyJson;
}

function firstMessage(text: string): string | undefined {
  const verdict = readPolicyDocument(text);
  return "faults" in verdict ? verdict.faults[0]?.message : undefined;
}

describe("the sample policy", () => {
  const sample = readFileSync(new URL("../../policy.yaml", import.meta.url), "utf8");

  test("is valid, with a default plan of 100 tokens at 10 a second and a gold plan", () => {
    const { plans } = JSON.parse(acceptedJson(sample)) as { plans: object[] };
    expect(plans).toMatchObject([
      { id: 0, name: "default", maxTokens: 100, tokenRefillRate: 10 },
      { id: 1, name: "gold" },
    ]);
  });

  test("writes every value that it explains as the default", () => {
    const { plans, ...written } = JSON.parse(acceptedJson(sample)) as { plans: object[] };
    const { plans: least, ...defaults } = JSON.parse(acceptedJson(LEAST)) as { plans: object[] };
    expect(written).toEqual(defaults);
    expect(plans[0]).toEqual(least[0]);
  });
});

describe("what is pushed", () => {
  test("is the policy with its number and nonce, and an edge accepts it as it is", () => {
    const pushed = pushedPolicyJson(acceptedJson(LEAST), 12, "n-1");
    expect(JSON.parse(pushed)).toMatchObject({ version: 1, generation: 12, revision: "n-1", plans: [PLAN] });
    expect(judgePolicyJson(pushed, true)).toMatchObject({ policyJson: pushed, policy: { generation: 12 } });
  });

  test("may not come back as an operator's document", () => {
    const verdict = readPolicyDocument(pushedPolicyJson(acceptedJson(LEAST), 12, "n-1"));
    expect(verdict).toMatchObject({ faults: [{ path: "generation" }, { path: "revision" }] });
  });

  test("fits what an edge accepts, even from the largest policy", () => {
    const all = Array.from({ length: 1000 }, (_, index) => ({
      ...PLAN,
      id: 65_535 - index,
      name: `${"p".repeat(28)}${String(index).padStart(4, "0")}`,
      maxTokens: 9_000_000,
      tokenRefillRate: 999_999.999999,
    }));
    const pushed = pushedPolicyJson(
      acceptedJson(JSON.stringify({ version: 1, plans: all })),
      Number.MAX_SAFE_INTEGER,
      "r",
    );
    expect(Buffer.byteLength(pushed)).toBeLessThan(MAX_POLICY_BYTES);
    expect(judgePolicyJson(pushed, true)).toMatchObject({ policyJson: pushed });
  });
});

describe("a hostile document is refused", () => {
  test("when it is too long, counted in bytes", () => {
    expect(firstMessage(LEAST + " ".repeat(MAX_POLICY_BYTES))).toMatch(/^expected at most 1048576 bytes, got /);
    expect(firstMessage("é".repeat(MAX_POLICY_BYTES / 2 + 1))).toBe("expected at most 1048576 bytes, got 1048578");
  });

  test.each([
    ["brackets", "[".repeat(MAX_POLICY_BYTES)],
    ["braces", "{a: ".repeat(MAX_POLICY_BYTES / 4)],
    ["dashes", "- ".repeat(MAX_POLICY_BYTES / 2)],
    ["question marks", "? ".repeat(MAX_POLICY_BYTES / 2)],
    ["indentation", Array.from({ length: 1400 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
  ])("when it nests too deep by %s", (_, text) => {
    expect(firstMessage(text)).toBe("not accepted as YAML: nested too deep");
  });

  test.each([
    ["lines", "\n".repeat(MAX_POLICY_BYTES)],
    ["commas", `{${",".repeat(MAX_POLICY_BYTES - 1)}`],
    ["aliases", "- *a\n".repeat(MAX_POLICY_BYTES / 5)],
    ["documents", "---\n".repeat(MAX_POLICY_BYTES / 4)],
  ])("when it has too many %s", (_, text) => {
    expect(firstMessage(text)).toBe("not accepted as YAML: too many words");
  });

  test("with at most 100 faults, of YAML and of the policy alike", () => {
    for (const text of ["- *a\n".repeat(500), Array.from({ length: 500 }, (_, index) => `f${index}: 1\n`).join("")]) {
      const verdict = readPolicyDocument(text);
      expect("faults" in verdict && verdict.faults.length).toBe(MAX_FAULTS);
    }
  });
});

test("judging again and again takes no more memory", () => {
  const large = JSON.stringify({ version: 1, plans: Array.from({ length: 500 }, () => PLAN) });
  const judgeOften = (): number => {
    for (let i = 0; i < 50; i++) judgePolicyJson(large, false);
    return memory.buffer.byteLength;
  };
  const before = judgeOften();
  expect(judgeOften()).toBe(before);
});
