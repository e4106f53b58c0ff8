// Whoever copies a bootstrap gets the same policy from it as from policy.yaml.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { policyJsonOf } from "../../scripts/policy-json.js";
import { projectRoot } from "../../scripts/project-root.js";
import { defaultPolicyOf } from "../../scripts/render-envoy.js";

it("envoy.yaml carries policy.yaml as its default configuration (npm run render:default-policy)", () => {
  const template = readFileSync(join(projectRoot, "envoy.yaml"), "utf8");
  expect(defaultPolicyOf(template)).toBe(policyJsonOf(join(projectRoot, "policy.yaml")));
});
