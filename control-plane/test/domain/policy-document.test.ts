// An operator's document on its way to the edges: what hostile input costs, what is sent, the sample that we ship.
import { readFileSync } from "node:fs";
import { memory } from "#validator";
import { describe, expect, test } from "vitest";
import { MAX_VIOLATIONS, MAX_POLICY_BYTES, MAX_SETTINGS_BYTES } from "../../../assembly/contract.js";
import { validatePolicyJson, validateSettingsJson } from "../../src/domain/policy/validator.js";
import { policyHash } from "../../src/domain/policy/policy-hash.js";
import { readDocument, readPolicyDocument, readSettingsDocument } from "../../src/domain/policy/read-policy.js";

const PLAN = { id: 0, name: "default", maxTokens: 100, tokenRefillRate: 10 };
const LEAST = JSON.stringify({ version: 1, plans: [PLAN] });

function acceptedJson(text: string): string {
  const result = readPolicyDocument(text);
  if ("violations" in result) throw new Error(JSON.stringify(result.violations));
  return result.policyJson;
}

function firstMessage(text: string): string | undefined {
  const result = readPolicyDocument(text);
  return "violations" in result ? result.violations[0]?.message : undefined;
}

interface PlansAndRoutes {
  readonly plans: readonly object[];
  readonly routes: readonly object[];
}

describe("the sample policy", () => {
  const sample = readFileSync(new URL("../../../policy.yaml", import.meta.url), "utf8");

  test("the sample policy is valid, with a default plan of 100 tokens at 10 a second", () => {
    const { plans } = JSON.parse(acceptedJson(sample)) as { plans: object[] };
    expect(plans).toMatchObject([
      { id: 0, name: "default", maxTokens: 100, tokenRefillRate: 10 },
      { id: 1, name: "gold" },
    ]);
  });

  test("the sample policy writes every value that it explains as the default", () => {
    const { plans, routes, ...written } = JSON.parse(acceptedJson(sample)) as PlansAndRoutes;
    const { plans: least, routes: none, ...defaults } = JSON.parse(acceptedJson(LEAST)) as PlansAndRoutes;
    expect(written).toEqual(defaults);
    expect(plans[0]).toEqual(least[0]);
    expect([routes.length, none]).toEqual([1, []]);
  });

  test("what the sample policy has commented out is valid once it is not", () => {
    const fields = /^  # (?=- id:|- match:| )/gm;
    const { plans, routes } = JSON.parse(acceptedJson(sample.replace(fields, "  "))) as PlansAndRoutes;
    expect(plans).toMatchObject([{ name: "default" }, { name: "gold" }, { name: "prepaid", tokenBudget: 50_000 }]);
    expect(routes).toMatchObject([{ exempt: true }, { cost: 5, limits: { search: 1 } }]);
  });

  test("the sample policy exempts /healthz, and nothing else", () => {
    const { routes } = JSON.parse(acceptedJson(sample)) as PlansAndRoutes;
    expect(routes).toMatchObject([{ match: { path: "/healthz", prefix: null, methods: null }, exempt: true }]);
  });
});

/** Every plan as long as it can be. */
const LARGEST = {
  version: 1,
  plans: Array.from({ length: 1000 }, (_, index) => ({
    ...PLAN,
    id: 65_535 - index,
    name: `${"p".repeat(28)}${String(index).padStart(4, "0")}`,
    maxTokens: 9_000_000,
    tokenRefillRate: 999_999.999999,
  })),
};

describe("a field in the wrong document", () => {
  /** `{"table":{"name":…}}` as `table` and `table.name`. */
  const pathsOf = (document: object, prefix = ""): string[] =>
    Object.entries(document).flatMap(([name, value]: [string, unknown]) => {
      const isSection = typeof value === "object" && value !== null && !Array.isArray(value);
      return [prefix + name, ...(isSection ? pathsOf(value, `${prefix}${name}.`) : [])];
    });
  /** Without those of sections that the other document lacks: they are named with their section. */
  const onlyIn = (paths: string[], others: string[]): string[] =>
    paths.filter(
      (path) => !others.includes(path) && (!path.includes(".") || others.includes(path.split(".")[0] ?? "")),
    );
  const at = (path: string): string => {
    const [section = "", name] = path.split(".");
    return JSON.stringify({ version: 1, plans: [PLAN], [section]: name === undefined ? 1 : { [name]: 1 } });
  };
  const ofPolicy = pathsOf(JSON.parse(acceptedJson(LEAST)) as object);
  const ofSettings = [
    "policy",
    ...pathsOf({ ...(validateSettingsJson('{"version":1}') as { settings: object }).settings }),
  ];

  test.each(onlyIn(ofPolicy, ofSettings))(
    "the policy field %s in edge settings is a violation that says where it belongs",
    (path) => {
      const message = `belongs to the policy: policy.yaml of the control plane, or policy.${path} here`;
      expect(validateSettingsJson(at(path))).toMatchObject({
        violations: expect.arrayContaining([{ path, message }]) as unknown,
      });
    },
  );

  test.each(onlyIn(ofSettings, ofPolicy))(
    "the settings field %s in a policy is a violation that says where it belongs",
    (path) => {
      const message = "belongs to the edge settings: the plugin configuration in Envoy";
      expect(validatePolicyJson(at(path))).toEqual({ violations: [{ path, message }] });
    },
  );

  test("a whole section in the wrong document counts once, a shared one by its fields", () => {
    expect(onlyIn(ofPolicy, ofSettings)).toEqual(expect.arrayContaining(["plans", "controlPlane.reportInterval"]));
    expect(onlyIn(ofSettings, ofPolicy)).toEqual(["policy", "controlPlane.cluster", "table", "follow"]);
  });
});

describe("what edges are sent", () => {
  test("edges are sent a policy that they accept as it is, even the largest", () => {
    const sent = acceptedJson(JSON.stringify(LARGEST));
    expect(Buffer.byteLength(sent)).toBeLessThan(MAX_POLICY_BYTES);
    expect(validatePolicyJson(sent)).toMatchObject({ policyJson: sent });
  });

  test("a policy has the same hash alone and in edge settings, however that is written", () => {
    const sent = acceptedJson(LEAST);
    const settings = readSettingsDocument(`version: 1\npolicy:\n  plans: [${JSON.stringify(PLAN)}]\n  version: 1.0\n`);
    if ("violations" in settings || settings.policyJson === undefined) throw new Error(JSON.stringify(settings));
    expect(settings.policyJson).toBe(sent);
    expect(policyHash(settings.policyJson)).toBe(policyHash(Buffer.from(sent)));
    expect(policyHash(sent)).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe("edge settings", () => {
  test("edge settings have room for the largest policy", () => {
    const result = validateSettingsJson(JSON.stringify({ version: 1, policy: LARGEST }));
    expect(result).toMatchObject({ policyJson: acceptedJson(JSON.stringify(LARGEST)) });
  });

  test("edge settings are not taken for a policy, and violations say where their fields belong", () => {
    const result = readPolicyDocument("version: 1\ntable: { capacity: 1024 }\nfollow: true\n");
    expect(result).toMatchObject({ violations: [{ path: "plans" }, { path: "table" }, { path: "follow" }] });
  });

  test.each([
    ["nothing that is YAML", "- *a"],
    ["too many bytes", " ".repeat(MAX_SETTINGS_BYTES + 1)],
  ])("the kind of a document is unknown with %s", (_, text) => {
    expect(readDocument(text)).not.toHaveProperty("kind");
  });
});

describe("a hostile document", () => {
  test("a document that is too long is rejected, counted in bytes", () => {
    expect(firstMessage(LEAST + " ".repeat(MAX_POLICY_BYTES))).toMatch(/^expected at most 1048576 bytes, got /);
    expect(firstMessage("é".repeat(MAX_POLICY_BYTES / 2 + 1))).toBe("expected at most 1048576 bytes, got 1048578");
  });

  test.each([
    ["brackets", "[".repeat(MAX_POLICY_BYTES)],
    ["braces", "{a: ".repeat(MAX_POLICY_BYTES / 4)],
    ["dashes", "- ".repeat(MAX_POLICY_BYTES / 2)],
    ["question marks", "? ".repeat(MAX_POLICY_BYTES / 2)],
    ["indentation", Array.from({ length: 1400 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
  ])("a document that nests too deep by %s is rejected", (_, text) => {
    expect(firstMessage(text)).toBe("not accepted as YAML: nested too deep");
  });

  test.each([
    ["lines", "\n".repeat(MAX_POLICY_BYTES)],
    ["commas", `{${",".repeat(MAX_POLICY_BYTES - 1)}`],
    ["aliases", "- *a\n".repeat(MAX_POLICY_BYTES / 5)],
    ["documents", "---\n".repeat(MAX_POLICY_BYTES / 4)],
  ])("a document with too many %s is rejected", (_, text) => {
    expect(firstMessage(text)).toBe("not accepted as YAML: too many words");
  });

  test("a document has at most 100 violations, of YAML and of the policy alike", () => {
    for (const text of ["- *a\n".repeat(500), Array.from({ length: 500 }, (_, index) => `f${index}: 1\n`).join("")]) {
      const result = readPolicyDocument(text);
      expect("violations" in result && result.violations.length).toBe(MAX_VIOLATIONS);
    }
  });
});

test("repeated validation takes no more memory", () => {
  const large = JSON.stringify({ version: 1, plans: Array.from({ length: 500 }, () => PLAN) });
  const validateOften = (): number => {
    for (let i = 0; i < 50; i++) validatePolicyJson(large);
    return memory.buffer.byteLength;
  };
  const before = validateOften();
  expect(validateOften()).toBe(before);
});
