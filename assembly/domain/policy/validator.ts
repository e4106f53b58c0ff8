// Validates a policy: text in; either every violation, or the policy with its defaults filled in.
import { MAX_POLICY_BYTES } from "../../contract";
import { readFields } from "./document";
import { Violation, Violations } from "./violations";
import { Policy } from "./model";
import { validatePolicyFields } from "./policy-fields";

/** `policy` is null exactly when there are violations, of which there are at most MAX_VIOLATIONS. */
export class PolicyResult {
  constructor(
    public violations: Violation[],
    public policy: Policy | null,
  ) {}
}

/** Validates a policy document in JSON. It decides from the text alone and never traps. */
export function validatePolicy(text: string): PolicyResult {
  const violations = new Violations();
  const fields = readFields(text, MAX_POLICY_BYTES, violations);
  if (fields === null) return new PolicyResult(violations.list, null);
  const policy = validatePolicyFields(fields, violations);
  return new PolicyResult(violations.list, violations.list.length == 0 ? policy : null);
}
