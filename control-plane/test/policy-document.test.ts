// An operator's document on its way to the edges: what hostile input costs, what edges are given, the sample that we ship.
import { readFileSync } from "node:fs";
import { memory } from "#judge";
import { describe, expect, test } from "vitest";
import { MAX_FAULTS, MAX_POLICY_BYTES } from "../../assembly/contract.js";
import { judgePolicyJson } from "../src/domain/policy/judge.js";
import { readPolicyDocument } from "../src/domain/policy/read-policy.js";
import { withoutEdgeSettings } from "../src/domain/policy/stored-policy.js";

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

describe("what edges are given", () => {
  const plans = (count: number, more: object = {}) =>
    Array.from({ length: count }, (_, index) => ({
      ...PLAN,
      id: 65_535 - index,
      name: `${"p".repeat(28)}${String(index).padStart(4, "0")}`,
      maxTokens: 9_000_000,
      tokenRefillRate: 999_999.999999,
      ...more,
    }));

  test("fits what an edge accepts, even from the largest policy", () => {
    const json = acceptedJson(JSON.stringify({ version: 1, plans: plans(1000) }));
    expect(Buffer.byteLength(json)).toBeLessThan(MAX_POLICY_BYTES);
    expect(judgePolicyJson(json)).toMatchObject({ policyJson: json });
  });

  test("is the same where a store holds it as an earlier version wrote it, with the edge's settings in it", () => {
    const json = acceptedJson(LEAST);
    const { controlPlane, ...rest } = JSON.parse(json) as { controlPlane: object };
    const earlier = {
      ...rest,
      generation: 7,
      revision: "r",
      controlPlane: { ...controlPlane, cluster: "sluice_control_plane" },
      table: { name: "default", capacity: 65_536 },
    };
    expect(acceptedJson(withoutEdgeSettings(JSON.stringify(earlier)))).toBe(json);
    for (const other of ["", "null", "7", "[]", '{"controlPlane":null}'])
      expect(withoutEdgeSettings(other)).toBe(other);
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
    for (let i = 0; i < 50; i++) judgePolicyJson(large);
    return memory.buffer.byteLength;
  };
  const before = judgeOften();
  expect(judgeOften()).toBe(before);
});
