// npm run render:default-policy: writes policy.yaml, judged and in canonical JSON, into the bootstraps that carry it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "./failure.js";
import { policyJsonOf } from "./policy-json.js";
import { projectRoot } from "./project-root.js";
import { defaultPolicyOf } from "./render-envoy.js";

const POLICY_LINE = /(google\.protobuf\.StringValue\n\s*value: ).*$/m;

try {
  const file = join(projectRoot, "envoy.yaml");
  const policyJson = policyJsonOf(join(projectRoot, "policy.yaml"));
  // One line is replaced and the file not printed anew: it is laid out for people.
  const text = readFileSync(file, "utf8").replace(POLICY_LINE, (_, before: string) => `${before}${quoted(policyJson)}`);
  if (defaultPolicyOf(text) !== policyJson) throw new Error("envoy.yaml has no such line below a StringValue");
  writeFileSync(file, text);
} catch (error) {
  console.error(`sluice: ${describe(error)}`);
  process.exitCode = 1;
}

/** A single-quoted YAML scalar: only its quote is special, and is doubled. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
