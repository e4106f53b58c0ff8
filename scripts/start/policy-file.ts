// The operator's policy file, validated before anything is started with it.
import { readFileSync } from "node:fs";
import type { Policy } from "../../control-plane/src/domain/policy/policy.js";
import { readPolicyDocument } from "../../control-plane/src/domain/policy/read-policy.js";
import { Failure } from "../failure.js";

/** @throws Failure with every violation and its position when the file cannot be read or is no policy. */
export function requirePolicy(file: string): Policy {
  const result = readPolicyDocument(textOf(file));
  if ("policy" in result) return result.policy;
  const violations = result.violations.map(({ line, column, path, message }) => {
    return `\n  ${file}:${line}:${column} ${path === "" ? "" : `${path}: `}${message}`;
  });
  throw new Failure(`The policy cannot be used:${violations.join("")}`);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`The policy (SLUICE_POLICY) cannot be read: ${reason}.`);
  }
}
